"""How often a command waits for the server: each statement of it is one round trip."""

from pathlib import Path

import pytest

from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

FEW = [
    # (command, statements at most, with BEGIN, ROLLBACK and our settings)
    ("upgrade --yes", 8),
    ("upgrade --plan", 8),
    ("history", 8),
    ("detect", 8),
    ("verify", 8),
]

COUNTED = """
import sys
from psycopg2 import extensions
from collec_migrations.cli.main import main
sent = 0
def sending(frame, event, function):
    global sent
    if event == "c_call" and getattr(function, "__name__", "") in ("execute", "rollback", "commit"):
        sent += isinstance(
            getattr(function, "__self__", None), (extensions.cursor, extensions.connection)
        )
sys.setprofile(sending)
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    sys.setprofile(None)
    sys.stderr.write(f"sent {sent + 1}")  # the one BEGIN is psycopg2's own
"""


@pytest.fixture
def at_head(server18: Server, clone: Clone) -> Address:
    """Return a database where `upgrade` has nothing to do."""
    return clone(chain.template_at(server18, "26.2"))


@pytest.mark.parametrize(("command", "most"), FEW)
def test_a_command_asks_the_server_seldom(
    at_head: Address, tmp_path: Path, command: str, most: int
) -> None:
    words = ["python", "-c", COUNTED, *command.split()]
    done = chain.run(*words, folder=tmp_path, variables={"COLLEC_DATABASE_URL": at_head.url})
    assert done.returncode == 0, done.stderr
    counted = int(done.stderr.rpartition("sent ")[2])
    assert 4 < counted <= most
