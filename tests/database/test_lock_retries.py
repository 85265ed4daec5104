"""A lock that another session holds: who holds it is told, and the whole run is tried again."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)

from collec_migrations.errors import LockNotObtained
from collec_migrations.migrate import verbs
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server


@pytest.fixture
def old(server18: Server, clone: Clone) -> Address:
    """Return a database at 1.0.8."""
    return clone(chain.template_at(server18, "1.0.8"))


@pytest.fixture
def holder(old: Address) -> Iterator[Connection]:
    """Return a session that has read the movements and stays in its transaction."""
    with closing(psycopg2.connect(old.dsn, application_name="the site")) as connection:
        connection.cursor().execute("select count(*) from col.storage")
        yield connection


def pid(connection: Connection) -> int:
    """Return the process id of a session's server process."""
    return int(connection.get_backend_pid())


def test_the_final_error_names_script_and_holder(old: Address, holder: Connection) -> None:
    before = chain.catalog(old)
    with pytest.raises(LockNotObtained) as refused:
        chain.upgrade(old, lock_timeout="0.1", lock_retries="0")
    message = str(refused.value)
    assert message.startswith(
        "legacy_sql/upgrade-1.0.8-1.1.sql: canceling statement due to lock timeout"
    )
    assert f"pid {pid(holder)}, user super, the site, idle in transaction since" in message
    assert "holds col.storage: select count(*) from col.storage" in message
    assert refused.value.exit_status == 3
    assert "pg_terminate_backend" in refused.value.hint
    assert chain.catalog(old) == before


def test_a_watched_run_names_the_statement(old: Address, holder: Connection) -> None:
    class Silent:
        def restart(self) -> None:
            pass

        def begin(self, *_: object) -> None:
            pass

        def end(self, *_: object) -> None:
            pass

    options = {"url": old.url, "lock_timeout": "0.1", "lock_retries": "0"}
    with pytest.raises(LockNotObtained, match=r"upgrade-1.0.8-1.1.sql:\d+: canceling"):
        verbs.upgrade(options, "1.1", say=lambda _: None, progress=Silent())


def test_the_run_succeeds_when_the_lock_goes_away_in_between(
    old: Address, holder: Connection
) -> None:
    said: list[str] = []

    def say(message: str) -> None:
        said.append(message)
        if message.startswith("    pid"):
            # All was rolled back: nothing is left of the first attempt.
            assert chain.query(old, "select to_regclass('col.printer')") == [(None,)]
            holder.rollback()

    options = {"url": old.url, "lock_timeout": "0.1", "lock_retries": "1"}
    assert verbs.upgrade(options, "head", say=say) == {"col": chain.HEAD}
    assert said[0] == "a table is locked by another session; trying again in 1 s"
    assert said[1].startswith(f"    pid {pid(holder)}, user super, the site")
    assert chain.catalog(old) == chain.known(chain.HEAD)
    assert chain.query(old, "select count(*) from col.migration_history where version = '1.1'") == [
        (1,)
    ]


def test_a_plan_that_cannot_look_names_the_holder(old: Address) -> None:
    with closing(psycopg2.connect(old.dsn, application_name="the site")) as other:
        other.cursor().execute("lock table col.sample_metadata")
        options = {"url": old.url, "lock_timeout": "0.1"}
        with pytest.raises(LockNotObtained, match=f"pid {pid(other)}, user super, the site"):
            verbs.plan(options, "head", say=lambda _: None)
