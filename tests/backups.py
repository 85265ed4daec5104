"""Backups in tests: a laboratory to dump, and a run that keeps quiet."""

from collections.abc import Callable
from pathlib import Path

from collec_migrations.backup import dump, store
from collec_migrations.backup.dump import BackupOptions, Outcome
from collec_migrations.backup.retention import Policy
from collec_migrations.backup.store import Backup
from collec_migrations.names import Names
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.sizes import Advance
from collec_migrations.testing import sample_data
from tests import chain
from tests.builders import rows
from tests.servers import Server

NOTHING = Policy(daily=0, weekly=0, monthly=0)
"""Keeps the newest, and the newest verified one."""
Say = Callable[[str], None]


def laboratory_at(server: Server, version: str) -> str:
    """Return a template of a version with a laboratory's data and large objects."""

    def build(address: Address) -> None:
        with chain.connected(address) as connection:
            sample_data.fill(connection, Names(), movements=500)
            connection.commit()
        chain.execute(address, "select lo_from_bytea(0, 'kept apart')")

    return server.template(f"laboratory_{version}", build, chain.template_at(server, version))


def run(
    address: Address,
    into: Path,
    *,
    policy: Policy | None = None,
    say: Say = lambda _: None,
    advance: Advance = lambda _done, _total: None,
    jobs: int = 1,
    lock_wait: float = 60,
) -> Outcome:
    """Back up one database."""
    wish = BackupOptions(into=into, jobs=jobs, lock_wait=lock_wait)
    told = conninfo.Address(address.dsn)
    return dump.run(told, [address.dbname], wish, policy, say=say, advance=advance)


def taken(address: Address, into: Path, *, jobs: int = 1) -> Backup:
    """Return a new backup of a database."""
    (made,) = run(address, into, jobs=jobs).made
    return store.load(into / made.id)


def ids(into: Path) -> list[str]:
    """Return what counts as a backup."""
    whole, _ = store.backups(into)
    return [one.id for one in whole]


def contents(address: Address, *schemas: str) -> dict[str, object]:
    """Return a digest of every table of these schemas."""
    with chain.connected(address) as connection:
        return {
            f"{schema}.{table}": digest
            for schema in schemas
            for table, digest in rows.digest(connection, schema).items()
        }


def large_at(server: Server, version: str) -> str:
    """Return a template whose dump takes a while: 48 MB that gzip cannot compress."""

    def build(address: Address) -> None:
        add_documents(address, 48)

    return server.template(f"large_{version}", build, template=laboratory_at(server, version))


def add_documents(address: Address, megabytes: int) -> None:
    """Add a table with bytes that gzip cannot compress: it looks back 32 kB, not a megabyte."""
    chain.execute(
        address,
        "create table document_bytes as with one as materialized ("
        " select decode(string_agg(md5(j::text), ''), 'hex') as data"
        " from generate_series(1, 65536) j)"
        f" select i, data from one, generate_series(1, {megabytes}) i",
    )


def execute_alone(address: Address, statement: str) -> None:
    """Run a statement that takes no transaction, as CREATE DATABASE."""
    with chain.connected(address) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
