"""How often a command waits for the server: counted in what the server answers."""

import pytest

from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.proxy import proxy
from tests.servers import Server

PASSWORD = "of a superuser"
ALEMBIC = ("alembic", "-x", "without_postgis=yes", "upgrade", "head")
FEW = [
    # (command, round trips at most, with BEGIN, ROLLBACK and our settings)
    (("collec-migrations", "upgrade", "--yes"), 8),
    (("collec-migrations", "upgrade", "--plan"), 8),
    (("collec-migrations", "history"), 8),
    (("collec-migrations", "detect"), 3),
    (("collec-migrations", "verify"), 6),
    (ALEMBIC, 8),
    (("alembic", "current"), 8),
]


def round_trips(server: Server, dbname: str, command: tuple[str, ...]) -> int:
    """Run a command of ours on a database, as a superuser through TCP; return its round trips."""
    with proxy(server.address.port) as between:
        url = f"postgresql://boss:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{between.port}/{dbname}"
        done = chain.run(*command, folder=chain.ROOT, variables={"COLLEC_DATABASE_URL": url})
        assert done.returncode == 0, done.stderr
        return between.round_trips()


@pytest.fixture
def at_head(server18: Server, clone: Clone) -> Address:
    """Return a database where `upgrade` has nothing to do."""
    return clone(chain.template_at(server18, "26.2"))


@pytest.fixture(autouse=True)
def boss(database: Address) -> None:
    """Make a superuser who comes in by TCP."""
    chain.execute(database, f"create role boss superuser login password '{PASSWORD}'")


@pytest.mark.parametrize(("command", "most"), FEW)
def test_a_command_asks_the_server_seldom(
    server18: Server, at_head: Address, command: tuple[str, ...], most: int
) -> None:
    assert 3 <= round_trips(server18, at_head.dbname, command) <= most


def test_a_fresh_installation_asks_the_server_seldom(server18: Server, database: Address) -> None:
    counted = round_trips(server18, database.dbname, ALEMBIC)
    assert 10 < counted <= 20
    assert chain.query(database, "select version_num from col.alembic_version") == [("26.2",)]
