"""What a command that only reads loads: neither Alembic, SQLAlchemy, pglast nor rich."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collec_migrations.postgres.address import Address
from tests import chain
from tests.servers import Server

SLOW = frozenset({"alembic", "sqlalchemy", "mako", "pglast", "rich"})
"""Each takes longer to load than the database to answer."""

READING = [
    "--help",
    "--version",
    "detect",
    "verify",
    "history",
    "upgrade --plan",
    "upgrade --plan --json",
    "upgrade --yes",
    "upgrade 24.0 --yes",
    "status",
]

LOADED = """
import sys
from collec_migrations.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    sys.stderr.write("\\n".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture(scope="module")
def at_head(server18: Server) -> Iterator[Address]:
    """Return a database where `upgrade` has nothing to do."""
    with server18.database(chain.template_at(server18, "26.2")) as address:
        yield address


@pytest.mark.parametrize("command", READING)
def test_reading_loads_nothing_slow(at_head: Address, tmp_path: Path, command: str) -> None:
    variables = {"COLLEC_DATABASE_URL": at_head.url}
    words = ["python", "-c", LOADED, *command.split()]
    done = chain.run(*words, folder=tmp_path, variables=variables)
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.splitlines()) & SLOW == set()
