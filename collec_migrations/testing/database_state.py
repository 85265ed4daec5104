"""What a database is at a stop: its facts and every row; and how it differs from what it was."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import Severity, differences, history, read_catalog
from collec_migrations.migrate.reference import VERSION_ROWS
from collec_migrations.names import Names
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import conninfo, row_digests
from collec_migrations.versions import Shape

NAMES = Names()
Columns = Mapping[str, row_digests.Columns]
"""Columns by table, by schema."""
Rows = Mapping[str, Counter[str]]
"""Digests of rows by `schema.table`."""


@contextmanager
def opened(dsn: str) -> Iterator[extensions.connection]:
    """Give a connection to look at a database; it is closed before the next step."""
    with closing(database.connect(conninfo.Address(dsn))) as connection:
        yield connection


def columns(connection: extensions.connection) -> Columns:
    """Return the columns of the application's tables."""
    return {
        schema: {
            table: names
            for table, names in row_digests.columns(connection, schema).items()
            if table not in history.TOOL_TABLES
        }
        for schema in (NAMES.gacl, NAMES.col)
    }


def shared(one: Columns, other: Columns) -> Columns:
    """Return the columns that two versions have: what is to keep its rows between them.

    Without the rows of `dbversion`, which are the version's own.
    """
    return {
        schema: {
            table: names
            for table, names in row_digests.common(one[schema], other[schema]).items()
            if table != VERSION_ROWS
        }
        for schema in one
    }


def rows(connection: extensions.connection, only: Columns) -> Rows:
    """Return the rows of these tables, those that are there, by these columns."""
    there = columns(connection)
    return {
        f"{schema}.{table}": found
        for schema, tables in only.items()
        for table, found in row_digests.fingerprints(
            connection, schema, row_digests.common(tables, there[schema])
        ).items()
    }


def archives(connection: extensions.connection) -> tuple[str, ...]:
    """Return the archive schemas that there are."""
    with connection.cursor() as cursor:
        known = [NAMES.gacl_archive, NAMES.col_archive]
        cursor.execute("select nspname from pg_namespace where nspname = any (%s)", (known,))
        return tuple(str(name) for (name,) in cursor.fetchall())


def drift(connection: extensions.connection, version: str, *, wrapped: bool) -> Iterator[str]:
    """Yield each difference from the catalog of a version; cosmetic ones not when `wrapped`."""
    if version not in versions.VERSIONS:
        yield f"{version} has no catalog: run `make facts`"
        return
    found = differences(
        expected=versions.upgraded(version),
        observed=read_catalog(connection, NAMES),
        alternative=versions.catalog(version, Shape.FRESH),
    )
    for one in found:
        if not (wrapped and one.severity is Severity.COSMETIC):
            yield f"at {version}: {one.role}: {one.sentence}"


def is_empty(connection: extensions.connection) -> bool:
    """Tell whether no fact of the application is left."""
    return not read_catalog(connection, NAMES).facts


def lost(before: Rows, after: Rows) -> Iterator[str]:
    """Yield a sentence for each table that does not have every row that it had."""
    for table in sorted(before):
        gone = (before[table] - after.get(table, Counter())).total()
        if gone:
            yield f"{table}: {gone} of {before[table].total()} rows are lost or changed"


def fewer(before: Rows, after: Rows) -> Iterator[str]:
    """Yield a sentence for each table that has fewer rows than it had."""
    for table in sorted(before):
        then, now = before[table].total(), after.get(table, Counter()).total()
        if now < then:
            yield f"{table}: {then - now} of {then} rows are lost"


def more(before: Rows, after: Rows) -> Iterator[str]:
    """Yield a sentence for each table that has rows which it had not."""
    for table in sorted(after):
        new = (after[table] - before.get(table, Counter())).total()
        if new:
            yield f"{table}: {new} rows are new or changed"
