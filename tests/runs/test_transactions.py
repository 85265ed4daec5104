"""What is committed, and when: whole runs, single versions, connections lent by a program."""

from collections.abc import Iterator

import psycopg2
import pytest
from alembic import command
from psycopg2 import extensions
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from collec_migrations.errors import CommitUnknown, MigrationError, UsageError
from collec_migrations.migrate import verbs
from collec_migrations.migrate.environment import alembic_config, errors_unwrapped
from collec_migrations.postgres.address import Address
from tests import chain
from tests.chain import alembic
from tests.servers import Server

BY_VERSION = {"transaction": "per-version"}


def recorded(address: Address, schema: str = "col") -> list[object]:
    """Return the version, and the versions of the history, of a data schema."""
    version = chain.query(address, f"select version_num from {schema}.alembic_version")
    past = f"select version from {schema}.migration_history order by migration_history_id"
    return [row[0] for row in version + chain.query(address, past)]


def test_each_version_is_committed_on_request(database: Address) -> None:
    chain.upgrade(database, "1.0")
    chain.execute(database, "create table col.dbversion ()")
    with pytest.raises(MigrationError) as refused:
        chain.upgrade(database, **BY_VERSION)
    assert "upgrade-1.0.6-1.0.8.sql" in str(refused.value)
    assert "nothing was applied" not in str(refused.value)
    assert "those before it are committed" in str(refused.value)
    assert recorded(database) == ["1.0.6", "1.0", "1.0.4", "1.0.5", "1.0.6"]
    chain.execute(database, "drop table col.dbversion")
    assert chain.catalog(database) == chain.known("1.0.6")


def test_a_commit_for_each_version_ends_where_one_for_all_ends(database: Address) -> None:
    chain.upgrade(database, "1.0", **BY_VERSION)
    chain.upgrade(database, **BY_VERSION)
    assert chain.catalog(database) == chain.known(chain.HEAD)
    chain.upgrade(database, **BY_VERSION, col="lab_a,lab_b", gacl="rights")
    assert recorded(database, "lab_a")[0] == recorded(database, "lab_b")[0] == chain.HEAD
    assert chain.upgrade(database, **BY_VERSION, col="lab_a,lab_b", gacl="rights") == []


def test_per_version_a_failure_at_the_first_step_leaves_nothing(database: Address) -> None:
    refuse(database, "create table")
    with pytest.raises(MigrationError):
        chain.upgrade(database, **BY_VERSION)
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []


def refuse(address: Address, tag: str) -> None:
    """Make every command with this tag fail."""
    chain.execute(
        address,
        "create function refuse() returns event_trigger language plpgsql as"
        " $$begin raise 'refused'; end$$;"
        f" create event trigger refuse on ddl_command_end when tag in ('{tag}')"
        " execute function refuse()",
    )


@pytest.mark.parametrize("transaction", ["per-run", "per-version"])
def test_a_commit_that_fails_is_told_as_a_failure(database: Address, transaction: str) -> None:
    chain.upgrade(database, "1.0.8")
    fail_at_commit(database)
    before = recorded(database), chain.catalog(database)
    for words, status in (
        (("alembic", "upgrade", "head"), 255),
        (("collec-migrations", "upgrade", "--yes"), 3),
    ):
        variables = {"COLLEC_DATABASE_URL": database.url, "COLLEC_TRANSACTION": transaction}
        done = chain.run(*words, folder=chain.ROOT, variables=variables)
        shown = done.stdout + done.stderr
        assert done.returncode == status, shown
        assert "not at commit" in shown
        assert "Traceback" not in shown
        assert (recorded(database), chain.catalog(database)) == before


def fail_at_commit(address: Address) -> None:
    """Let every transaction that writes a version fail when it commits."""
    chain.execute(
        address,
        "create function refuse() returns trigger language plpgsql as"
        " $$begin raise 'not at commit'; end$$;"
        " create constraint trigger refuse after insert or update on col.dbversion"
        " deferrable initially deferred for each row execute function refuse()",
    )


@pytest.fixture
def engine(database: Address) -> Iterator[Engine]:
    made = create_engine(database.url.replace("://", "+psycopg2://"), poolclass=NullPool)
    yield made
    made.dispose()


def lend(given: Connection | Engine, version: str = "head", **options: str) -> None:
    """Upgrade by Alembic's own function on a connection that a program lends."""
    config = alembic_config(options, say=lambda _: None)
    config.attributes["connection"] = given
    with errors_unwrapped():
        command.upgrade(config, version)


@pytest.mark.parametrize("transaction", ["per-run", "per-version"])
@pytest.mark.parametrize("used_before", [False, True])
def test_a_lent_connection_outside_a_transaction_is_committed(
    database: Address, engine: Engine, transaction: str, used_before: bool
) -> None:
    with engine.connect() as connection:
        if used_before:
            connection.execute(text("select 1"))
            connection.commit()
        lend(connection, "1.0.8", transaction=transaction)
        lend(connection, transaction=transaction)
        assert not connection.in_transaction()
        assert connection.execute(text("show lock_timeout")).scalar() == "0"
    assert recorded(database) == [chain.HEAD, *chain.VERSIONS]


def test_a_lent_engine_is_committed(database: Address, engine: Engine) -> None:
    lend(engine)
    assert recorded(database) == [chain.HEAD, chain.HEAD]


def test_a_lent_transaction_is_the_lenders_to_end(database: Address, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("create table public.mine ()"))
        lend(connection)
        assert connection.in_transaction()
        connection.rollback()
        assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []
        connection.execute(text("create table public.mine ()"))
        lend(connection)
        assert connection.execute(text("show lock_timeout")).scalar() == "0"
        connection.commit()
    assert recorded(database) == [chain.HEAD, chain.HEAD]
    assert chain.query(database, "select * from public.mine") == []


def test_a_lent_connection_takes_part_in_one_at_a_time(
    database: Address, engine: Engine, server18: Server
) -> None:
    with engine.connect() as connection:
        lend(connection, "1.0")
        connection.execute(text("select 1"))
        lend(connection, "1.0.8")
        blocked = alembic("-x", "lock_wait=0.1", "upgrade", "head", url=database.url)
        assert blocked.returncode != 0
        assert "another run holds this database" in blocked.stdout
        connection.commit()
        said = chain.upgrade(database)
        assert [line for line in said if "dbparam is empty" not in line] == []


def test_a_lent_connection_that_commits_by_itself_is_refused(
    database: Address, engine: Engine
) -> None:
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        pytest.raises(UsageError, match="commits each statement"),
    ):
        lend(connection)
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []


def test_a_lent_transaction_cannot_commit_each_version(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(UsageError, match="per-version"):
        lend(connection, **BY_VERSION)


def test_what_was_committed_is_read_back(database: Address) -> None:
    def say(_: str) -> None:
        """Undo the run as soon as it is committed: what is said comes between the two."""
        chain.execute(database, "update col.alembic_version set version_num = '1.0'")

    with pytest.raises(MigrationError, match=r"should be at 1\.1 but is at 1\.0"):
        verbs.upgrade({"url": database.url}, "1.1", say=say)


class LostInCommit(extensions.connection):
    """A session that the server ends when it is to commit a change."""

    def commit(self) -> None:
        with self.cursor() as cursor:
            cursor.execute("select pg_current_xact_id_if_assigned() is not null")
            if cursor.fetchone() == (True,):
                with psycopg2.connect(self.dsn) as other, other.cursor() as ending:
                    ending.execute(
                        "select pg_terminate_backend(%s, 5000)", (self.info.backend_pid,)
                    )
                other.close()
        super().commit()


def test_a_commit_without_an_answer_is_told_as_unknown(database: Address) -> None:
    engine = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(database.dsn, connection_factory=LostInCommit),
        poolclass=NullPool,
        use_native_hstore=False,
    )
    with pytest.raises(CommitUnknown, match="lost during commit") as unknown:
        verbs.upgrade({"url": database.url}, "1.1", say=lambda _: None, lent=engine)
    assert "alembic current" in unknown.value.hint
