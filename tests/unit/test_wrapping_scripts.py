"""Scripts as they are found: names, encodings, psql's own commands, what cannot run inside."""

import errno
import random
from pathlib import Path

import pytest

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.scripts import Choice
from collec_migrations.wrapping import choices, naming, psql, reading, script, wrap
from collec_migrations.wrapping.chain import ChainBroken
from collec_migrations.wrapping.copying import NameTaken, NotWritten
from collec_migrations.wrapping.script import Script, ScriptRefused
from tests import wrapping

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
    found = naming.parse(Path(name))
    assert (found and (found.kind, found.old, found.new)) == expected


def read(text: str | bytes, folder: Path, name: str = "upgrade-1.1-27.0.sql") -> Script:
    (path,) = wrapping.write(folder, {name: text})
    return script.read([path])


ENCODINGS = {
    "UTF-8": "select 'é';".encode(),
    "byte-order mark": "\ufeffselect 'é';".encode(),
    "Latin-1": "select 'é';".encode("latin-1"),
    "CRLF": "-- x\r\nselect\r\n\t'é';\r\n".encode(),
    "declared Latin-9": "set client_encoding = 'LATIN9'; select 'é€';".encode("iso8859-15"),
    "declared by psql": "\\encoding WIN1252\nselect 'é€';".encode("cp1252"),
    "declared, but UTF-8": "set client_encoding to latin1; select 'é';".encode(),
    "no end of the last line": b"select 1 -- it ends here",
    "only a comment": b"-- nothing",
    "empty": b"",
}


@pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS)
def test_scripts_are_read_whatever_their_encoding(data: bytes, tmp_path: Path) -> None:
    found = read(data, tmp_path).items
    if "é".encode() in data or b"\xe9" in data:
        assert "é" in found[-1].statement.text
        assert ("€" in found[-1].statement.text) == (b"\xa4" in data or b"\x80" in data)


def test_a_file_in_utf_16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptUnreadable, match="null characters"):
        reading.decode("select 1;".encode("utf-16"), shown="a")


def test_a_statement_of_hundreds_of_kilobytes_keeps_its_line(tmp_path: Path) -> None:
    text = "select 1;\nselect '" + "col.x é\n" * 100_000 + "';\n\nselect 2;"
    lines = [item.statement.line for item in read(text, tmp_path).items]
    assert lines == [1, 2, 100_004]


COMMANDS = {
    r"\c collec": [("c", ("collec",))],
    "\\echo 'a b' c\nselect 1;": [("echo", ("a b", "c"))],
    "select 1; \\ir sub/x.sql": [("ir", ("sub/x.sql",))],
    r"select '\c a';": [],
    r"select E'\'\c a';": [],
    r"select $$ \c a $$, $x$ \d $$ \d $x$;": [],
    "-- \\c a\n/* \\c b /* \\c c */ \\c d */ \\d": [("d", ())],
    'select "\\c a";': [],
    "select 1;\r\n\\c a\r\n": [("c", ("a",))],
    r"\! rm": [("!", ("rm",))],
}


@pytest.mark.parametrize(("text", "expected"), COMMANDS.items(), ids=repr)
def test_meta_commands_are_found_where_psql_finds_them(
    text: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    found = psql.commands(text)
    assert [(one.name, one.arguments) for one in found] == expected
    assert psql.without(text, found).count("\n") == text.count("\n")
    assert len(psql.without(text, found)) == len(text)


DROPPED = [
    *(r"\c collec", r"\connect collec", r"\echo a", r"\set ON_ERROR_STOP on", r"\timing", r"\d a"),
    *("begin;", "start transaction;", "commit;", "end;", "set client_encoding = 'UTF8';"),
    *("set names 'latin1';", r"\encoding UTF8", r"\pset pager off"),
]


@pytest.mark.parametrize("text", DROPPED)
def test_harmless_things_are_dropped_and_told(text: str, tmp_path: Path) -> None:
    found = read(f"select 1;\n{text}\nselect 2;", tmp_path)
    found.refuse()
    assert [item.statement.text for item in found.items] == ["select 1", "select 2"]
    (finding,) = found.findings
    assert finding.line == 2
    assert f"{tmp_path.name}/upgrade-1.1-27.0.sql:2: " in str(finding)


REFUSED = [
    *(r"\copy a from 'b'", r"\set name value", r"\gexec", r"\! ls", r"\o f", r"\lo_import f"),
    *("create database x;", "drop database x;", "create user x;", "alter role x login;"),
    *("rollback;", "savepoint a;", "prepare transaction 'a';", "vacuum;", "discard all;"),
    *("create index concurrently i on a (b);", "drop index concurrently i;", "cluster;"),
    *("reindex database x;", "reindex table concurrently a;", "alter system set a = b;"),
    *("create tablespace t location '/x';", "set transaction isolation level serializable;"),
    *("set standard_conforming_strings = off;", "copy (select 1) to stdout;copy a from stdin;"),
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_run_inside_is_refused_with_file_and_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptRefused, match=r"upgrade-1\.1-27\.0\.sql:2: "):
        read(f"select 1;\n{text}\nselect 2;", tmp_path).refuse()


def test_two_databases_in_one_script_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptRefused, match="stays in one database"):
        read("\\c collec\nselect 1;\n\\c postgres\nselect 2;", tmp_path).refuse()


def test_an_analysis_may_run(tmp_path: Path) -> None:
    assert len(read("analyze; analyze col.a;", tmp_path).items) == 2


def test_includes_are_followed_in_their_place(tmp_path: Path) -> None:
    wrapping.write(tmp_path, {"sub/b.sql": "select 'b';\n\\i c.sql", "sub/c.sql": "select 'c';"})
    found = read("select 'a';\n\\ir sub/b.sql\nselect 'd';", tmp_path)
    assert [item.statement.text[-2] for item in found.items] == ["a", "b", "c", "d"]
    assert [item.place for item in found.items][1:] == [
        "sub/b.sql:1", "sub/c.sql:1", f"{tmp_path.name}/upgrade-1.1-27.0.sql:3",
    ]  # fmt: skip


def test_an_include_that_is_missing_or_endless_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScriptUnreadable, match=r"cannot read the script .*/b\.sql"):
        read("\\ir b.sql", tmp_path)
    with pytest.raises(ScriptUnreadable, match="goes round in circles"):
        read("\\ir upgrade-1.1-27.0.sql", tmp_path)


def test_a_script_that_does_not_parse_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScriptUnreadable, match=r"27\.0\.sql:3: syntax error at or near \"selct\""):
        read("select 1;\n\nselct 2;", tmp_path)


def chained(*names: str) -> list[str]:
    """Wrap empty scripts of these names, found in any order; return the versions."""
    shuffled = list(names)
    random.shuffle(shuffled)
    outcome = wrapping.wrapped({name: f"-- {name}\nselect 1;" for name in shuffled})
    return [one.step.new for one in outcome.added]


def test_scripts_are_ordered_by_version(site: Path) -> None:
    names = [
        "1.1-1.2",
        "1.2-1.2.3",
        "1.2.3-2.0",
        "2.0-2.8",
        "2.8-2.8.1",
        "2.8.1-24.0",
        "24.0-101.0",
    ]
    assert chained(*(f"col_alter_{name}.sql" for name in names)) == [
        *("1.2", "1.2.3", "2.0", "2.8", "2.8.1", "24.0", "101.0")
    ]


def test_scripts_of_built_in_versions_are_passed_over(site: Path) -> None:
    names = ("col_alter_1.0.8-1.1.sql", "col_alter_1.1-1.2.sql", "col_alter_1.0-1.0.4.sql")
    assert chained(*names) == ["1.2"]


def test_a_gap_is_told_and_nothing_is_written(site: Path) -> None:
    with pytest.raises(ChainBroken, match=r"a script from 1\.2 is missing.* from 2\.0 to 2\.1"):
        chained("col_alter_1.1-1.2.sql", "col_alter_2.0-2.1.sql")
    assert not wrapping.SITE.exists()


def test_two_scripts_for_one_step_are_told(site: Path) -> None:
    with pytest.raises(ChainBroken, match=r"two scripts for the step from 1\.1 to 1\.2"):
        chained("col_alter_1.1-1.2.sql", "col_alter-1.1-1.2.sql")


def test_two_ways_on_are_told(site: Path) -> None:
    with pytest.raises(ChainBroken, match=r"two ways lead on from 1\.1"):
        chained("col_alter_1.1-1.2.sql", "col_alter_1.1-2.0.sql")


def test_a_version_that_never_was_is_left_out_of_a_folder(site: Path) -> None:
    outcome = wrapping.wrapped(
        {f"col_alter_{step}.sql": "select 1;" for step in ("1.1-25.0", "25.0-25.1", "25.0-26.0")}
    )
    assert [one.step.new for one in outcome.added] == ["25.0", "26.0"]
    assert [path.name for path in outcome.left_out] == ["col_alter_25.0-25.1.sql"]


def test_a_wrapper_stands_for_what_it_includes(site: Path) -> None:
    outcome = wrapping.wrapped(
        {
            "upgrade-1.1-1.2.sql": "\\c collec\n\\ir gacl_alter_1.1-1.2.sql\n"
            "\\ir col_alter_1.1-1.2.sql\n",
            "gacl_alter_1.1-1.2.sql": "select 'gacl';",
            "col_alter_1.1-1.2.sql": "select 'col';",
        }
    )
    (wrapped,) = outcome.added
    assert [named.path.name for named in wrapped.step.files] == ["upgrade-1.1-1.2.sql"]
    assert [item.statement.text for item in wrapped.script.items] == [
        "select 'gacl'", "select 'col'",
    ]  # fmt: skip
    assert len(list(wrapping.SITE.glob("*.sql"))) == 3


def test_the_two_files_of_a_step_belong_together(site: Path) -> None:
    outcome = wrapping.wrapped(
        {"col_alter_1.1-1.2.sql": "select 'col';", "gacl_alter_1.1-1.2.sql": "select 'gacl';"}
    )
    (wrapped,) = outcome.added
    assert [item.statement.text for item in wrapped.script.items] == [
        "select 'gacl'", "select 'col'",
    ]  # fmt: skip
    revision = (wrapping.SITE / "v1_2.py").read_text()
    assert 'script = "gacl_alter_1.1-1.2.sql, col_alter_1.1-1.2.sql"' in revision


def test_a_script_that_changed_is_told_and_the_old_one_stays(site: Path) -> None:
    chained("col_alter_1.1-1.2.sql")
    before = (wrapping.SITE / "col_alter_1.1-1.2.sql").read_bytes()
    outcome = wrapping.wrapped({"col_alter_1.1-1.2.sql": "select 2;"})
    assert outcome.changed == ["1.2"]
    assert (wrapping.SITE / "col_alter_1.1-1.2.sql").read_bytes() == before


def test_two_files_of_one_name_are_refused_and_nothing_is_written(site: Path) -> None:
    with pytest.raises(NameTaken, match=r"b/x\.sql and .*a/x\.sql are not the same"):
        wrapping.wrapped(
            {
                "upgrade-1.1-1.2.sql": "\\ir a/x.sql\n\\ir b/x.sql\n",
                "a/x.sql": "select 1;",
                "b/x.sql": "select 2;",
            }
        )
    assert not wrapping.SITE.exists()


def test_what_a_later_release_includes_does_not_replace_what_an_older_one_did(site: Path) -> None:
    wrapping.wrapped({"upgrade-1.1-1.2.sql": "\\ir x.sql", "x.sql": "select 1;"})
    later = wrapping.write(
        site / "later", {"upgrade-1.2-1.2.3.sql": "\\ir x.sql", "x.sql": "select 2;"}
    )
    with pytest.raises(NameTaken, match="are not the same"):
        wrap.wrap(later[:1], wrap.Place.of(None))
    assert (wrapping.SITE / "x.sql").read_text() == "select 1;"
    assert not (wrapping.SITE / "v1_2_3.py").exists()


def test_a_disk_that_is_full_leaves_whole_versions_alone(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    names = ("col_alter_1.1-1.2.sql", "col_alter_1.2-1.2.3.sql")
    chained(names[0])
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(NotWritten, match=r"cannot write .*1\.2\.3\.sql: No space left"):
            chained(*names)
    assert sorted(path.name for path in wrapping.SITE.iterdir()) == [names[0], "v1_2.py"]
    assert chained(*names) == ["1.2.3"]


def test_a_folder_that_cannot_be_made_is_told(site: Path) -> None:
    wrapping.SITE.touch()
    with pytest.raises(NotWritten, match="cannot write collec-versions/"):
        chained("col_alter_1.1-1.2.sql")


def test_a_revision_that_is_no_python_is_told(site: Path) -> None:
    wrapping.write(wrapping.SITE, {"v1_2.py": 'revision = "1.2'})
    with pytest.raises(ScriptUnreadable, match=r"v1_2\.py is no revision"):
        chained("col_alter_1.1-1.2.sql")


def test_other_line_ends_are_no_change(site: Path) -> None:
    wrapping.wrapped({"col_alter_1.1-1.2.sql": "select 1;\nselect 2;\n"})
    outcome = wrapping.wrapped({"col_alter_1.1-1.2.sql": "\ufeffselect 1;\r\nselect 2;\r\n"})
    assert outcome.unchanged == ["1.2"]


def test_a_source_tree_gets_revisions_and_scripts_in_their_folders(site: Path) -> None:
    for name in ("versions", "legacy_sql"):
        Path(name).mkdir()
    wrapping.write(Path("scripts"), {"col_alter_1.1-1.2.sql": "select 1;"})
    wrap.wrap([Path("scripts")], wrap.Place.of(Path()))
    assert Path("versions/v1_2.py").is_file()
    assert Path("legacy_sql/col_alter_1.1-1.2.sql").is_file()


def test_doubts_get_a_file_of_choices_that_is_kept(site: Path) -> None:
    text = {"col_alter_1.1-1.2.sql": "select 1;\nselect f('col');"}
    wrapping.wrapped(text)
    path = wrapping.SITE / "col_alter_1.1-1.2.sql.choices"
    assert '2 ? "col"' in path.read_text()
    wrapping.decide("bind")
    (wrapping.SITE / "v1_2.py").unlink()
    assert wrapping.wrapped(text).added
    assert '2 bind "col"' in path.read_text()


def test_choices_may_come_from_an_editor_of_windows(site: Path) -> None:
    wrapping.write(site, {"a.sql.choices": '\ufeff# x\r\n2 bind "col"\r\n'})
    assert choices.read(site / "a.sql") == {(2, "col"): Choice.BIND}
