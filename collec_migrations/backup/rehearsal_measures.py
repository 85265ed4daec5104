"""Measure a copy: versions, size, rows, differences, how long each version took."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg2 import extensions

from collec_migrations.backup import contents as source
from collec_migrations.backup.rehearsal_result import Measures, Step, Table
from collec_migrations.bridge import detection, history, recorded_version, state, verification
from collec_migrations.bridge.difference import Difference, Severity
from collec_migrations.names import Names
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import conninfo, pg_versions
from collec_migrations.postgres.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy to rehearse on."""

    address: Address
    source: str
    server_version: str
    seconds: float
    """How long it took to make."""


@contextmanager
def connected(copy: Copy) -> Iterator[extensions.connection]:
    """Give a connection to the copy."""
    with closing(database.connect(conninfo.Address(copy.address.dsn))) as connection:
        yield connection


def measured(copy: Copy, pairs: Sequence[Names]) -> Measures:
    """Return versions, size and place in the log."""
    with connected(copy) as connection, connection.cursor() as cursor:
        place = pg_versions.text("fn_current_lsn", pg_versions.of(connection.server_version))
        cursor.execute(f"select pg_database_size(current_database()), {place}() - '0/0'::pg_lsn")
        size, wal = cursor.fetchone() or (0, 0)
        seen = [(names.col, detection.detect(connection, names)) for names in pairs]
    versions = tuple((col, one.version or str(one.answer)) for col, one in seen)
    return Measures(versions=versions, size=int(size), wal=int(wal))


def tables(copy: Copy) -> dict[int, tuple[str, int]]:
    """Return name and number of rows of each table, by its oid."""
    with connected(copy) as connection, connection.cursor() as cursor:
        counted = source.count_rows(connection, [one.name for one in source.tables(connection)])
        cursor.execute("select name, name::regclass::oid from unnest(%s) name", (list(counted),))
        return {int(oid): (name, counted[name]) for name, oid in cursor.fetchall()}


def compared(
    before: dict[int, tuple[str, int]], after: dict[int, tuple[str, int]]
) -> Iterator[Table]:
    """Yield what became of each table that was there."""
    for oid, (name, rows) in sorted(before.items(), key=lambda one: one[1][0]):
        later, rows_later = after.get(oid, ("", 0))
        yield Table(before=name, after=later, rows_before=rows, rows_after=rows_later)


def drift(copy: Copy, pairs: Sequence[Names]) -> tuple[Difference, ...]:
    """Return the differences that matter from the version that each pair is at.

    None for a version that no facts are known of: a rehearsal is to see what a script gives.
    """
    with connected(copy) as connection, connection.cursor() as cursor:
        known = [
            names
            for names in pairs
            if not recorded_version.is_later(state.recorded_version(cursor, names.col) or "")
        ]
        return tuple(
            one
            for names in known
            for one in verification.verify(connection, names).differences
            if one.severity is not Severity.COSMETIC
        )


def steps(copy: Copy, pairs: Sequence[Names], since: datetime) -> Iterator[Step]:
    """Yield the versions that were applied since a moment."""
    with connected(copy) as connection, connection.cursor() as cursor:
        for names in pairs:
            for row in history.read(cursor, names.col):
                if row.kind == "applied" and row.version and row.started and row.started >= since:
                    seconds = row.duration.total_seconds()
                    yield Step(schema=names.col, version=row.version, seconds=seconds)
