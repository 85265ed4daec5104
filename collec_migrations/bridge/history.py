"""The history of a schema: one row for each version applied, adopted, stamped or downgraded."""

import getpass
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version as installed_version
from importlib.resources import files
from typing import Literal

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.postgres import as_owner, quoting
from collec_migrations.postgres.queries import statement

TABLE = "migration_history"

Kind = Literal["applied", "adopted", "stamped", "downgraded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step of one schema."""

    version: str | None
    """The schema's version after the step; None: nothing is installed."""
    kind: Kind
    script: str = ""
    """Names of the scripts, separated by commas."""
    checksum: str = ""
    note: str = ""
    started: datetime | None = None
    """None: the server takes the time, from the beginning of its transaction."""
    duration: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Entry):
    """An entry as it was stored."""

    id: int
    tool_version: str
    database_user: str
    client: str


COLUMNS = (
    "migration_history_id",
    "version",
    "kind",
    "script",
    "checksum",
    "note",
    "started",
    "duration",
    "tool_version",
    "database_user",
    "client",
)


def exists(cursor: Cursor, schema: str) -> bool:
    """Return whether the schema has a history table."""
    cursor.execute(
        "select exists (select 1 from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relname = %s and c.relkind = 'r')",
        (schema, TABLE),
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def read(cursor: Cursor, schema: str) -> tuple[Row, ...]:
    """Return the rows of a schema's history, oldest first; none when there is no table."""
    if not exists(cursor, schema):
        return ()
    table = f"{quoting.identifier(schema)}.{TABLE}"
    cursor.execute(f"select {', '.join(COLUMNS)} from {table} order by migration_history_id")
    return tuple(_row(values) for values in cursor.fetchall())


def _row(values: Sequence[object]) -> Row:
    named = dict(zip(COLUMNS, values, strict=True))
    named["id"] = named.pop("migration_history_id")
    return Row(**named)  # type: ignore[arg-type]  # the table's types are those of the class


def creation(schema: str) -> str:
    """Return the statements that create the history table of a schema."""
    return _definition().replace("{schema}", quoting.identifier(schema))


def insertion(schema: str, entry: Entry) -> str:
    """Return the statement that adds an entry, complete, so that psql can run it as well."""
    values = {
        "version": quoting.literal(entry.version),
        "kind": quoting.literal(entry.kind),
        "script": quoting.literal(entry.script),
        "checksum": quoting.literal(entry.checksum),
        "note": quoting.literal(entry.note),
        "started": f"'{entry.started.isoformat()}'" if entry.started else "now()",
        "duration": _duration(entry),
        "tool_version": quoting.literal(tool_version()),
        "client": quoting.literal(client()),
    }
    table = f"{quoting.identifier(schema)}.{TABLE}"
    return f"insert into {table} ({', '.join(values)}) values ({', '.join(values.values())});"


def _duration(entry: Entry) -> str:
    """Return the SQL of a duration: one that was measured, else from the transaction's begin."""
    if entry.started is None:
        return "clock_timestamp() - now()"
    return f"'{entry.duration.total_seconds():.3f} seconds'"


def record(cursor: Cursor, schema: str, entry: Entry) -> None:
    """Add an entry to the history of a schema, whose table is made when it is missing."""
    cursor.execute(statement("plain_table"), {"schema": schema, "table": TABLE})
    found = cursor.fetchone()
    if found is None:
        cursor.execute(creation(schema))
        cursor.execute(insertion(schema, entry))
        return
    _, owner, is_superusers, _ = found
    if is_superusers:
        cursor.execute(insertion(schema, entry))
    else:  # its owner may have given it a trigger or a default
        as_owner.execute(cursor, insertion(schema, entry), role=owner)


@cache
def tool_version() -> str:
    """Return the version of this tool, as installed."""
    return installed_version("collec-migrations")


@cache
def client() -> str:
    """Return the account and host where this tool runs, as `account@host`."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = "unknown"
    return f"{account}@{socket.gethostname()}"


@cache
def _definition() -> str:
    text = (
        files("collec_migrations.data")
        .joinpath("queries", "migration_history.sql")
        .read_text("utf-8")
    )
    return text[text.index("create table") :]
