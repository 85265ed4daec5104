"""`collec-migrations upgrade`: plan, question, result and exit status."""

import json
import os
import pty
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from collec_migrations.cli.progress import Watcher, lasting
from collec_migrations.postgres.address import Address
from collec_migrations.sql import split
from tests import chain
from tests.conftest import Clone
from tests.servers import Server


@pytest.fixture
def old(server18: Server, clone: Clone) -> Address:
    """Return a database at 1.0.8."""
    return clone(chain.template_at(server18, "1.0.8"))


def tool(*words: str, at: Address, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tool's own command on a database."""
    return chain.run(
        "collec-migrations", *words, folder=folder, variables={"COLLEC_DATABASE_URL": at.url}
    )


def test_plan_shows_what_will_happen_first(old: Address, tmp_path: Path) -> None:
    plain = tool("upgrade", "1.1", "--plan", at=old, folder=tmp_path)
    assert (plain.returncode, plain.stderr) == (0, "")
    first, *more = plain.stdout.splitlines()
    assert first.startswith("col (rights in gacl) will go from 1.0.8 to 1.1 in database ")
    assert [line.partition(":")[0] for line in more] == [
        "how long",
        "stop the application first",
        "nothing is in doubt, and nothing else is needed",
        "scripts, locks and owners",
    ]
    done = tool("upgrade", "1.1", "--plan", "--details", at=old, folder=tmp_path)
    assert done.stdout.startswith(plain.stdout)
    _, second, *rest = done.stdout.removeprefix(plain.stdout).splitlines()
    assert "upgrade by legacy_sql/upgrade-1.0.8-1.1.sql" in second
    modes = [line for line in rest if " stops " in line]
    assert "access exclusive" in modes[0]
    assert "share row exclusive" in modes[-1]
    assert chain.query(old, "select to_regclass('col.printer')") == [(None,)]


def test_a_server_without_postgis_is_told_with_the_option_that_does_without(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    at = clone(chain.template_at(server18, "2.3"))

    def upgrade(*words: str) -> subprocess.CompletedProcess[str]:
        variables = {"COLLEC_DATABASE_URL": at.url, "COLLEC_WITHOUT_POSTGIS": "no"}
        return chain.run(
            "collec-migrations", "upgrade", *words, folder=tmp_path, variables=variables
        )

    refused = upgrade("--yes")
    assert refused.returncode == 3
    assert "postgresql-18-postgis-3" in refused.stderr
    assert "--without-postgis" in refused.stderr
    done = upgrade("--yes", "--without-postgis")
    assert done.returncode == 0, done.stderr
    assert chain.catalog(at) == chain.known(chain.HEAD)


def test_plan_tells_what_goes_to_the_archive(old: Address, tmp_path: Path) -> None:
    chain.execute(old, "insert into col.metadata_set (metadata_set_name) values ('soil')")
    shown = tool("upgrade", "1.1", "--plan", at=old, folder=tmp_path).stdout.splitlines()
    heading = "goes to the archive, from where a downgrade brings it back:"
    assert shown[shown.index(heading) + 1] == "  col.metadata_set: 1 row"


def test_plan_as_json_has_every_fact(old: Address, tmp_path: Path) -> None:
    facts = json.loads(tool("upgrade", "1.1", "--plan", "--json", at=old, folder=tmp_path).stdout)
    assert facts["nothing_to_do"] is False
    assert facts["obstacles"] == []
    (schema,) = facts["schemas"]
    assert (schema["recorded"], schema["target"]) == ("1.0.8", "1.1")
    statements = schema["steps"][0]["scripts"][0]["statements"]
    storage = [
        lock
        for statement in statements
        for lock in statement["locks"]
        if lock["table"] == "col.storage" and lock["mode"] == "access exclusive"
    ]
    assert storage[0]["owner"] == "super"


def test_plan_at_the_target_says_nothing_to_do(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    done = tool(
        "upgrade", "--plan", at=clone(chain.template_at(server18, chain.HEAD)), folder=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, f"nothing to do: col is at {chain.HEAD}\n")


def test_without_a_terminal_it_needs_yes(old: Address, tmp_path: Path) -> None:
    done = tool("upgrade", at=old, folder=tmp_path)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert chain.query(old, "select to_regclass('col.printer')") == [(None,)]


def test_yes_upgrades_and_tells_versions_and_time(old: Address, tmp_path: Path) -> None:
    done = tool("upgrade", "--yes", at=old, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"col: upgraded from 1.0.8 to {chain.HEAD} in ")
    assert chain.catalog(old) == chain.known(chain.HEAD)


def test_yes_with_json_tells_the_same_facts(old: Address, tmp_path: Path) -> None:
    facts = json.loads(tool("upgrade", "1.1", "--yes", "--json", at=old, folder=tmp_path).stdout)
    assert facts["schemas"] == [{"col": "col", "from": "1.0.8", "to": "1.1", "changed": True}]


def test_an_unknown_version_is_a_usage_error(old: Address, tmp_path: Path) -> None:
    assert tool("upgrade", "1.0.7", "--yes", at=old, folder=tmp_path).returncode == 2


def test_an_unadopted_database_is_refused_by_plan_and_run(old: Address, tmp_path: Path) -> None:
    chain.execute(old, "drop table col.alembic_version")
    for words in (("--plan",), ("--yes",)):
        done = tool("upgrade", *words, at=old, folder=tmp_path)
        assert done.returncode == 3
        assert "collec-migrations adopt" in done.stderr


def test_variables_reach_the_settings(old: Address, tmp_path: Path) -> None:
    variables = {"COLLEC_DATABASE_URL": old.url, "COLLEC_LOCK_TIMEOUT": "soon"}
    done = chain.run("collec-migrations", "upgrade", "--yes", folder=tmp_path, variables=variables)
    assert done.returncode == 2
    assert "lock_timeout is 'soon'" in done.stderr


@pytest.mark.parametrize(
    ("answer", "status", "version"), [("n", 1, "1.0.8"), ("y", 0, chain.HEAD)], ids=["no", "yes"]
)
def test_on_a_terminal_it_shows_the_plan_and_asks(
    old: Address, tmp_path: Path, answer: str, status: int, version: str
) -> None:
    shown, returned = _on_terminal(old, tmp_path, answer)
    assert f"will go from 1.0.8 to {chain.HEAD}" in shown
    assert "Upgrade now? [y/N]" in shown
    assert returned == status
    assert chain.query(old, "select version_num from col.alembic_version") == [(version,)]


def _on_terminal(address: Address, folder: Path, answer: str) -> tuple[str, int]:
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).parent / "collec-migrations"), "upgrade"]
    environment = {**os.environ, "COLLEC_DATABASE_URL": address.url, "TERM": "xterm"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux reports the end of a pseudo-terminal as EIO
                break
            if not part:
                break
            shown += part
        returned = process.wait()
    os.close(ours)
    return shown.decode(errors="replace"), returned


def test_a_lasting_statement_is_named_by_place_beginning_and_time() -> None:
    (statement,) = split(
        "\n\nselect pg_sleep(2),\n       'something much longer than a line can be'"
    )
    assert lasting("legacy_sql/a.sql", statement, 2.04) == (
        "legacy_sql/a.sql:3: select pg_sleep(2), 'something much longer than a line ca... (2.0 s)"
    )


def test_only_what_lasts_longer_than_a_second_gets_a_line() -> None:
    written = StringIO()
    watcher = Watcher(Console(file=written, width=200), None, {})
    quick, slow = split("select 1; select 2")
    watcher.end("a.sql", quick, 0.9)
    watcher.end("a.sql", slow, 1.1)
    assert written.getvalue() == "a.sql:1: select 2 (1.1 s)\n"


def test_plan_makes_no_server(tmp_path: Path) -> None:
    done = chain.run("collec-migrations", "upgrade", "--plan", folder=tmp_path)
    assert done.returncode == 3
    assert "no server of its own" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_large_table_weighs_in_the_progress_and_nothing_counts_twice() -> None:
    small, large = split("select 1;\nselect 2")
    bar = Progress(console=Console(file=StringIO()))
    watcher = Watcher(bar.console, bar, {("a.sql", 1): 1, ("a.sql", 2): 9})
    for statement, share in ((small, 10), (small, 10), (large, 100), (large, 100)):
        watcher.end("a.sql", statement, 0.1)
        assert bar.tasks[0].percentage == share


def test_of_several_runs_at_once_one_says_that_it_upgraded(old: Address, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "collec-migrations"), "upgrade", "1.1", "--yes"]
    variables = {**os.environ, "COLLEC_DATABASE_URL": old.url}
    running = [
        subprocess.Popen(
            command, cwd=tmp_path, env=variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]  # fmt: skip
    shown = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], shown
    said = sorted(out.splitlines()[-1].partition(" in ")[0] for out, _ in shown)
    nothing = "col: nothing to do, it is at 1.1"
    assert said == [nothing, nothing, "col: upgraded from 1.0.8 to 1.1"]
