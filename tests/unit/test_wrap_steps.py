"""Which scripts continue the chain, what is written for them, and what is left alone."""

from pathlib import Path

import pytest

from collec_migrations import versions, wrap
from collec_migrations.errors import ChainBroken, MigrationError, ScriptRefused, UsageError
from collec_migrations.wrap import steps
from tests import wrapping

HEAD = versions.in_chain()[-1]
"""The newest version of the chain, from which scripts lead on."""
FIRST = f"col_alter_{HEAD}-27.0.sql"

NAMED = {
    "col_alter_2.3-2.4.sql": ("col_alter", "2.3", "2.4"),
    "col_alter-1.0.5-1.0.6.sql": ("col_alter", "1.0.5", "1.0.6"),
    "col_alter_2.6_2.7.sql": ("col_alter", "2.6", "2.7"),
    "col_alter_2.3-2-4.sql": ("col_alter", "2.3", "2.4"),
    "gacl_alter_2.2-2.3.sql": ("gacl_alter", "2.2", "2.3"),
    "upgrade-26.1-26.2.sql": ("upgrade", "26.1", "26.2"),
    "upgradedb-from-2.3.sql": None,
    "col_create-1.1.sql": None,
    "col_alter-feature_metadata.sql": None,
    "col_alter_2.3-2.4.sql.old": None,
}


@pytest.mark.parametrize(("name", "expected"), NAMED.items(), ids=NAMED)
def test_the_name_of_a_file_tells_its_step(name: str, expected: tuple[str, str, str]) -> None:
    assert steps.parse(Path(name)) == expected


def test_steps_are_copied_byte_by_byte_and_get_a_revision(site: Path) -> None:
    data = "\ufeffselect 'é';\r\n".encode()
    outcome = wrapping.wrapped({FIRST: data, "col_alter_27.0-27.1.sql": "select 2;"})
    assert [one.step.new for one in outcome.added] == ["27.0", "27.1"]
    assert (wrapping.SITE / FIRST).read_bytes() == data
    found = versions.read_revisions(wrapping.SITE)
    assert [(one.version, one.parent, one.script) for one in found] == [
        ("27.0", HEAD, FIRST),
        ("27.1", "27.0", "col_alter_27.0-27.1.sql"),
    ]
    assert (wrapping.SITE / "v27_0.py").read_text().count("\n") < 20
    again = wrapping.written(Path("scripts"))
    assert (again.added, again.unchanged) == ([], ["27.0", "27.1"])


def test_a_changed_script_is_told_and_not_written(site: Path) -> None:
    wrapping.wrapped({FIRST: "select 1;"})
    outcome = wrapping.wrapped({FIRST: "select 2;"})
    assert (outcome.added, outcome.changed) == ([], ["27.0"])
    assert (wrapping.SITE / FIRST).read_text() == "select 1;"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["col_alter_27.0-27.1.sql"], f"a script from {HEAD} is missing"),
        ([FIRST, "col_alter_27.1-27.2.sql"], "a script from 27.0 is missing"),
        ([FIRST, f"col_alter_{HEAD}-27.1.sql"], f"two ways lead on from {HEAD}"),
        ([FIRST, f"col_alter-{HEAD}-27.0.sql"], "two scripts for one step"),
    ],
)
def test_a_gap_or_a_fork_is_refused(site: Path, names: list[str], message: str) -> None:
    with pytest.raises(ChainBroken, match=message):
        wrapping.wrapped(dict.fromkeys(names, "select 1;"))
    assert not wrapping.SITE.exists()


def test_nothing_is_written_when_one_of_two_is_refused(site: Path) -> None:
    with pytest.raises(ScriptRefused):
        wrapping.wrapped({FIRST: "select 1;", "col_alter_27.0-27.1.sql": "vacuum;"})
    assert not wrapping.SITE.exists()


def test_what_looks_like_a_step_and_was_not_taken_is_named(site: Path) -> None:
    others = ["col_alter_27.0.sql", "upgradedb-from-27.0.sql", "col_alter_25.0-25.1.sql"]
    outcome = wrapping.wrapped(dict.fromkeys((FIRST, "col_create.sql", *others), "select 1;"))
    assert sorted(path.name for path in outcome.left_out) == sorted(others)
    with pytest.raises(UsageError, match="the name does not tell which step"):
        wrapping.written(Path("scripts/col_alter_27.0.sql"))


def test_the_rights_script_runs_before_the_datas_and_a_wrapper_stands_for_both(site: Path) -> None:
    gacl = f"gacl_alter_{HEAD}-27.0.sql"
    outcome = wrapping.wrapped({FIRST: "select 1;", gacl: "select 2;"})
    assert [path.name for path in outcome.added[0].step.files] == [gacl, FIRST]
    whole = f"upgrade-{HEAD}-27.0.sql"
    wrapping.write(Path("other"), {FIRST: "select 1;", gacl: "select 2;",
                                   whole: f"\\ir {gacl}\n\\ir {FIRST}\n"})  # fmt: skip
    outcome = wrapping.written(Path("other"), Path("elsewhere"))
    assert [path.name for path in outcome.added[0].step.files] == [whole]
    assert [source.name for source in outcome.added[0].script.sources] == [whole, gacl, FIRST]


def test_a_copy_never_takes_another_scripts_place(site: Path) -> None:
    wrapping.write(wrapping.SITE, {FIRST: "select 'another';"})
    with pytest.raises(UsageError, match="are not the same, and would be one file"):
        wrapping.wrapped({FIRST: "select 1;"})
    assert not list(wrapping.SITE.glob("*.py"))


def test_a_version_that_the_chain_has_by_now_is_handed_over(site: Path) -> None:
    wrapping.wrapped({FIRST: "select 1;"})
    revision = wrapping.SITE / "v27_0.py"
    old = revision.read_text().replace('"27.0"', f'"{HEAD}"').replace('= "27', '= "none')
    (wrapping.SITE / "v_old.py").write_text(old)
    revision.unlink()
    outcome = wrapping.written(Path("scripts"))
    assert outcome.handed_over == [HEAD]
    assert [path.name for path in wrapping.SITE.glob("*.py")] == ["v27_0.py"]


def test_a_name_that_cannot_be_bound_is_told_at_once(site: Path) -> None:
    (one,) = wrapping.wrapped({FIRST: "select 1;\nselect 'of col';"}).added
    assert one.unbound.startswith(f"scripts/{FIRST}:2: ")


def test_a_folder_that_cannot_be_written_is_told(site: Path) -> None:
    wrapping.SITE.write_text("a file")
    with pytest.raises(MigrationError, match="cannot write"):
        wrapping.wrapped({FIRST: "select 1;"})


def test_the_applications_folder_is_found(tmp_path: Path) -> None:
    assert wrap.of_application(tmp_path) is None
    wrapping.write(tmp_path / "install", {FIRST: "select 1;"})
    assert wrap.of_application(tmp_path) == tmp_path / "install"
    wrapping.write(tmp_path / "install" / "pgsql", {FIRST: "select 1;"})
    assert wrap.of_application(tmp_path) == tmp_path / "install" / "pgsql"
