"""docs/developing.md, followed word by word in a copy of the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collec_migrations.postgres.address import Address
from tests import chain, documents, wrapping
from tests.servers import Server

PAGE = "docs/developing.md"
PARTS = (
    *("collec_migrations", "versions", "legacy_sql", "tools"),
    *("Makefile", "pyproject.toml", "alembic.ini", ".squawk.toml", "CHANGELOG.md"),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the repository, whose `.venv` is the environment that runs the tests."""
    for part in PARTS:
        source = chain.ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, tmp_path / part)
    environment = tmp_path / ".venv"
    environment.mkdir()
    original = Path(sys.executable).parent.parent
    for part in ("bin", "lib", "pyvenv.cfg"):
        if (original / part).exists():
            (environment / part).symlink_to(original / part)
    for mark in ("installed", "installed-dev"):
        (environment / mark).touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", *PARTS], cwd=tmp_path, check=True)
    return tmp_path


def shell(
    script: str, tree: Path, address: Address, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "COLLEC_", "MAKE"))}
    account = {k: v for k, v in os.environ.items() if k == "COLLEC_SERVER_ACCOUNT"}
    own = {"PYTHONPATH": str(tree), "COLLEC_DATABASE_URL": address.url}
    own["COLLEC_WITHOUT_POSTGIS"] = "yes"  # the wheels' servers have no PostGIS
    return subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder or tree,
        env={**inherited, **account, **own},
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_the_example_adds_a_version(
    tree: Path, database: Address, server18: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chain.upgrade(database)
    done = shell("\n".join(documents.blocks(chain.ROOT / PAGE, "sh")), tree, database)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "written: 26.3.json" in done.stdout
    assert done.stdout.count("written: ") == 2, "the catalog of the new version, and locks.json"
    assert "paths are sound" in done.stdout
    assert chain.query(database, "select version_num from col.alembic_version") == [("26.3",)]
    assert chain.query(database, "select count(*) from col.instrument") == [(0,)]
    assert (tree / "CHANGELOG.md").read_text().count("Version 26.3") == 1
    found = shell("export PATH=$PWD/.venv/bin:$PATH; collec-migrations detect", tree, database)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "26.3" in found.stdout
    hand_over(tree, server18, tmp_path_factory.mktemp("site"))


SCRIPT = "col_alter_26.2-26.3.sql"


def hand_over(tree: Path, server: Server, site: Path) -> None:
    """A site that wrapped 26.3 itself, before the chain learnt it, goes on with the chain's."""
    with server.database(chain.template_at(server, "26.2")) as address:
        wrapping.write(site, {SCRIPT: (tree / "legacy_sql" / "upgrade-26.2-26.3.sql").read_bytes()})

        def of_site(command: str, home: Path) -> subprocess.CompletedProcess[str]:
            python = Path(sys.executable).parent
            return shell(f"export PATH={python}:$PATH; {command}", home, address, site)

        before = of_site(
            f"collec-migrations wrap {SCRIPT} --yes && collec-migrations upgrade --no-backup --yes"
            " && collec-migrations verify", chain.ROOT)  # fmt: skip
        assert before.returncode == 0, before.stdout + before.stderr
        assert (site / "collec-versions" / "v26_3.py").is_file()
        after = of_site(f"collec-migrations wrap {SCRIPT} --yes", tree)
        assert after.returncode == 0, after.stderr
        assert "26.3" in after.stderr + after.stdout
        assert not (site / "collec-versions" / "v26_3.py").exists()
        chain.execute(address, "insert into col.instrument (instrument_name) values ('scales')")
        on = of_site(
            "collec-migrations upgrade --yes && collec-migrations verify && collec-migrations"
            " downgrade 26.2 --yes && collec-migrations upgrade --yes", tree)  # fmt: skip
        assert on.returncode == 0, on.stdout + on.stderr
        assert chain.query(address, "select instrument_name from col.instrument") == [("scales",)]


BAD = """
begin;
alter table sample add column a integer not null;
create index concurrently b on col.sample (sample_id);
"""


MEANT = """
-- Nobody booked: the table has no rows.
-- squawk-ignore adding-required-field
alter table col.booking add column booking_code varchar not null;
"""


def test_a_new_script_that_breaks_the_rules_fails_and_can_say_why(
    tree: Path, database: Address
) -> None:
    new = tree / "legacy_sql" / "upgrade-26.2-26.3.sql"
    lint = "export PATH=$PWD/.venv/bin:$PATH; squawk --reporter gcc legacy_sql/*.sql"

    def linted(text: str) -> subprocess.CompletedProcess[str]:
        new.write_text(text, "utf-8")
        return shell(lint, tree, database)

    bad = linted(BAD)
    assert bad.returncode == 1
    rules = (
        *("transaction-nesting", "require-table-schema", "adding-required-field"),
        "ban-concurrent-index-creation-in-transaction",
    )
    assert [rule for rule in rules if rule not in bad.stdout] == []
    assert "upgrade-26.2-26.3.sql:3:" in bad.stdout
    meant = linted(MEANT)
    assert meant.returncode == 0, meant.stdout
