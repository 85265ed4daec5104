"""`collec-migrations` alone: where this machine stands, and the next command to type."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from collec_migrations import versions
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.docs import json_page
from tests.servers import Server


def status(folder: Path, *words: str, **variables: str) -> list[str]:
    """Run the program without a command, or with options; return the lines."""
    start = ("status", *words) if words else ()
    done = chain.run("collec-migrations", *start, folder=folder, variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= 10
    return lines


def test_nothing_named_starts_nothing_and_leads_on(tmp_path: Path) -> None:
    lines = status(tmp_path)
    assert lines[1].startswith("database      none is named")
    assert lines[-1] == "next          collec-migrations install --plan"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["1.0.8", "1.1"])
def test_a_database_is_told_with_what_is_pending(
    server18: Server, clone: Clone, tmp_path: Path, version: str
) -> None:
    address = clone(chain.template_at(server18, version))
    lines = status(tmp_path, COLLEC_DATABASE_URL=address.url)
    assert any(f"col, rights in gacl: {version}, Alembic says {version}" in one for one in lines)
    todo = "nothing to do" if version == versions.in_chain()[-1] else "upgrade --plan"
    assert lines[-1].endswith(todo)
    assert any(line.startswith("standby") for line in lines)


def test_the_next_command_repeats_the_application(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    address: Address = clone(chain.template_at(server18, "1.0.8"))
    chain.execute(address, "drop table col.alembic_version")
    site = tmp_path / "www" / "param"
    site.mkdir(parents=True)
    (site / "param.inc.php").write_text(
        f"<?php $APPLI_version = '1.1.0b'; $APPLI_dbversion = '1.1'; $BDD_login='{address.user}';"
        f"$BDD_dsn = 'pgsql:host={address.host};port={address.port};dbname={address.dbname}';"
        "$BDD_schema = 'col,gacl'; $GACL_schema = 'gacl';"
    )
    lines = status(tmp_path, "--app", str(site.parent))
    assert "release 1.1.0b, asks for 1.1" in lines[0]
    assert lines[-1] == f"next          collec-migrations adopt --app {site.parent}"


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    done = chain.run(
        "collec-migrations", "status", "--json", "--url", "postgresql://127.0.0.1:1/x",
        folder=tmp_path,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (done.returncode, told["server"], told["next"]) == (0, None, None)
    assert "refused" in told["trouble"]


def test_a_backup_is_told_with_its_age(server18: Server, clone: Clone, tmp_path: Path) -> None:
    address = clone(chain.template_at(server18, "1.0.8"))
    variables = {"COLLEC_DATABASE_URL": address.url, "COLLEC_BACKUP_DIR": str(tmp_path / "kept")}
    done = chain.run("collec-migrations", "backup", "run", folder=tmp_path, variables=variables)
    assert done.returncode == 0, done.stderr
    (line,) = [one for one in status(tmp_path, **variables) if one.startswith("backup")]
    assert line.endswith("0 hours ago, never tried")


def test_init_makes_a_folder_that_alembic_works_in(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    address = clone(chain.template_at(server18, "1.0.8"))
    made = chain.run("collec-migrations", "init", folder=tmp_path)
    assert (made.returncode, made.stdout) == (0, "wrote alembic.ini; next: alembic upgrade head\n")
    variables = {"COLLEC_DATABASE_URL": address.url}
    done = chain.run("alembic", "upgrade", "1.1", folder=tmp_path, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert chain.query(address, "select version_num from col.alembic_version") == [("1.1",)]
    assert chain.run("collec-migrations", "init", folder=tmp_path).returncode == 2


def test_downgrade_shows_what_goes_to_the_archive_and_asks(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.execute(
        address, "insert into col.printer (printer_name, printer_queue) values ('a', 'b')"
    )
    variables = {"COLLEC_DATABASE_URL": address.url}

    def run(*words: str) -> tuple[int, str]:
        done = chain.run("collec-migrations", "downgrade", *words, folder=tmp_path,
                         variables=variables)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, shown = run("1.0.8", "--plan")
    assert code == 0
    assert "col (rights in gacl) will go back from 1.1 to 1.0.8: 1 step" in shown
    assert "col.printer: 1 rows" in shown
    assert "no terminal to ask on" in run("1.0.8")[1]
    assert run("9.9", "--plan")[0] == 2
    code, shown = run("1.0.8", "--yes")
    assert (code, "back from 1.1 to 1.0.8" in shown) == (0, True), shown
    assert "below" in run("1.1", "--yes")[1]


def test_a_downgrade_counts_nothing_that_is_only_renamed(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    address = clone(chain.template_at(server18, "2.0"))
    chain.execute(
        address,
        "insert into col.collection (collection_name) values ('reefs');"
        " insert into col.sampling_place (sampling_place_name, collection_id)"
        " select 'bay', collection_id from col.collection limit 1;"
        " insert into col.movement_type (movement_type_id, movement_type_name) values (98, 'lent')",
    )
    done = chain.run(
        "collec-migrations", "downgrade", "1.2.3", "--plan", "--json", folder=tmp_path,
        variables={"COLLEC_DATABASE_URL": address.url},
    )  # fmt: skip
    (one,) = json.loads(done.stdout)["schemas"]
    assert one["archived"] == [
        {"table": "gacl.logingestion", "column": "is_clientws", "rows": 1},
        {"table": "col.sampling_place", "column": "collection_id", "rows": 1},
    ]


def test_what_the_site_has_on_what_a_downgrade_removes_is_named_and_stops_it(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.execute(
        address,
        "create schema own; create view own.printers as select printer_name from col.printer;"
        " create table own.notes (id integer references col.printer);"
        " create view own.codes as select multiple_value from col.sample;"
        " create policy own on col.sample using (metadata is null);"
        " create publication own for table col.sample (sample_id, metadata)",
    )

    def run(*words: str) -> tuple[int, str]:
        done = chain.run("collec-migrations", "downgrade", "1.0.8", *words, folder=tmp_path,
                         variables={"COLLEC_DATABASE_URL": address.url})  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, shown = run("--plan")
    told = sorted(line for line in shown.splitlines() if line.startswith("blocked by:"))
    assert (code, told) == (
        0,
        [
            f"blocked by: the {what}, which version 1.0.8 does not have"
            for what in (
                "foreign key notes_id_fkey on own.notes refers to col.printer",
                "policy own on col.sample refers to col.sample.metadata",
                "publication col.sample in publication own refers to col.sample.metadata",
                "view own.printers refers to col.printer",
            )
        ],
    )
    code, shown = run("--yes")
    assert code == 3, shown
    assert "own.notes refers to col.printer" in shown
    assert chain.query(address, "select version_num from col.alembic_version") == [("1.1",)]


def test_where_no_database_is_named_those_of_the_server_are(
    server18: Server, tmp_path: Path
) -> None:
    with server18.database() as address:
        variables = {"PGHOST": address.host, "PGPORT": str(address.port), "PGUSER": "super"}
        done = chain.run("collec-migrations", "status", "--json", folder=tmp_path,
                         variables=variables | {"PGDATABASE": "postgres"})  # fmt: skip
        found = json.loads(done.stdout)
        assert address.dbname in found["databases"]
        assert found["next"].startswith("collec-migrations status --url dbname=")
        json_page.check("status", found)
        named = {"COLLEC_DATABASE_URL": address.url}
        done = chain.run("collec-migrations", "status", "--json", folder=tmp_path, variables=named)
        found = json.loads(done.stdout)
        assert (found["databases"], found["next"]) == ([], "collec-migrations upgrade --plan")


def test_what_to_type_next_has_its_path_where_the_program_is_not_on_the_path(
    tmp_path: Path,
) -> None:
    program = Path(sys.executable).parent / "collec-migrations"
    plain = {"HOME": str(tmp_path), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    for folders, shown in (("/usr/bin:/bin", str(program)), (str(program.parent), program.name)):
        done = subprocess.run(
            [program, "status"], cwd=tmp_path, env={**plain, "PATH": folders},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1].split()[:2] == ["next", shown]
