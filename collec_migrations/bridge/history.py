"""What is recorded of a pair of schemas: Alembic's version, and our history of both schemas.

The history has one row for each version applied, adopted, stamped or downgraded.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import __version__
from collec_migrations.errors import NotAdopted, UntrustedTable
from collec_migrations.names import Names
from collec_migrations.postgres import as_owner, prologue, quoting
from collec_migrations.postgres.queries import statement

TABLE = "migration_history"
VERSION_TABLE = "alembic_version"
TOOL_TABLES = (VERSION_TABLE, TABLE)
"""Tables that belong to this tool and to Alembic, not to the application: no part of a catalog."""

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


def read(cursor: Cursor, schema: str) -> tuple[Row, ...]:
    """Return the rows of a schema's history, oldest first; none when there is no table."""
    cursor.execute(statement("plain_table"), {"schemas": [schema], "table": TABLE})
    found = cursor.fetchone()
    if found is None or found[1] != "r":
        return ()
    table = f"{quoting.identifier(schema)}.{TABLE}"
    cursor.execute(f"select {', '.join(COLUMNS)} from {table} order by migration_history_id")
    rows = (dict(zip(COLUMNS, values, strict=True)) for values in cursor.fetchall())
    return tuple(Row(id=row.pop("migration_history_id"), **row) for row in rows)


def creation(schema: str) -> str:
    """Return the statements that create the history table of a schema."""
    text = statement("migration_history")
    return text[text.index("create table") :].replace("{schema}", quoting.identifier(schema))


def insertion(schema: str, entry: Entry) -> str:
    """Return the statement that adds an entry, complete, so that psql can run it as well."""
    values = {
        "version": quoting.literal(entry.version),
        "kind": quoting.literal(entry.kind),
        "script": quoting.literal(entry.script),
        "checksum": quoting.literal(entry.checksum),
        "note": quoting.literal(entry.note),
        "started": f"'{entry.started.isoformat()}'" if entry.started else "now()",
        # One that was measured, else from the transaction's begin.
        "duration": f"'{entry.duration.total_seconds():.3f} seconds'"
        if entry.started
        else "clock_timestamp() - now()",
        "tool_version": quoting.literal(tool_version()),
        "client": quoting.literal(client()),
    }
    table = f"{quoting.identifier(schema)}.{TABLE}"
    return f"insert into {table} ({', '.join(values)}) values ({', '.join(values.values())});"


def record(
    cursor: Cursor, entries: Mapping[str, Entry], *, new: Container[str] = frozenset()
) -> None:
    """Add an entry to the history of each schema, whose table is made when it is missing.

    `new` are schemas that this session has made, so that nobody else made the table. Whatever path
    a script has left, ours is searched from here on.
    """
    known: dict[str, tuple[str, bool]] = {}
    asked = [schema for schema in entries if schema not in new]
    if asked:
        cursor.execute(
            f"{prologue.OWN_PATH}{statement('plain_table')}", {"schemas": asked, "table": TABLE}
        )
        known = {schema: (owner, super_) for schema, _, owner, super_, _ in cursor.fetchall()}
    own = [] if asked else [prologue.OWN_PATH]
    for schema, entry in entries.items():
        owner, is_superusers = known.get(schema, ("", True))
        if is_superusers:
            own += (
                [insertion(schema, entry)]
                if owner
                else [creation(schema), insertion(schema, entry)]
            )
        else:  # its owner may have given it a trigger or a default
            as_owner.execute(cursor, insertion(schema, entry), role=owner)
    if own:
        cursor.execute("\n".join(own))


@cache
def tool_version() -> str:
    """Return the version of this tool, as installed."""
    return __version__


@cache
def client() -> str:
    """Return the account and host where this tool runs, as `account@host`."""
    import getpass  # for runs alone, as what it loads
    import socket

    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = "unknown"
    return f"{account}@{socket.gethostname()}"


# Both schemas -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is recorded, and whether there is anything, in the two schemas of a pair."""

    recorded: str | None
    """Alembic's version of the data schema."""
    nothing_there: bool
    """No schema of the pair's exists, its archives included."""
    rights_version: str | None
    """Version of the rights schema: by its own history, else that of the data schema."""
    col_exists: bool
    col_tables: int
    """Tables in the data schema that are not the tool's own."""
    gacl_tables: int
    col_removed: bool = False
    """Whether the history ends with a removal: what tables there are, are the site's own."""
    gacl_removed: bool = False


def state(cursor: Cursor, names: Names) -> State:
    """Return the state of a pair; reads only, in three round trips."""
    schemas = [names.gacl, names.col]
    cursor.execute(
        statement("state"),
        {
            "schemas": [*schemas, names.gacl_archive, names.col_archive],
            "tool_tables": list(TOOL_TABLES),
            "version": VERSION_TABLE,
            "history": TABLE,
        },
    )
    found: dict[str, tuple[int, bool]] = {}
    has_version = False
    for schema, tables, has_version_too, has_past, is_plain in cursor.fetchall():
        found[schema] = (tables, has_past)
        has_version |= schema == names.col and has_version_too
        if has_past and not is_plain:
            raise UntrustedTable(
                f"{TABLE} in the schema {schema!r} has columns of types of its owner",
                hint="Ask the owner of the schema why; ours has types of PostgreSQL alone.",
            )
    readings = [_last(schema) for schema in schemas if found.get(schema, (0, False))[1]]
    if has_version and has_version_table(cursor, names.col):
        readings.append(_recorded(names.col))
    said: dict[tuple[str, str], str | None] = {}
    if readings:
        cursor.execute(" union all ".join(readings))
        said = {(table, schema): version for table, schema, version in cursor.fetchall()}
    recorded = said.get((VERSION_TABLE, names.col))
    if recorded is not None and names.gacl not in found:
        raise NotAdopted(
            f"there is no schema {names.gacl!r} for the rights of {names.col!r}, which is at"
            f" {recorded}",
            hint="Type: collec-migrations detect   which finds the schemas; then name them with"
            " --gacl and --col, or in the application's settings.",
        )
    past, own_past = ((TABLE, schema) for schema in schemas)
    gacl_tables = found.get(names.gacl, (0, False))[0]
    return State(
        recorded=recorded,
        nothing_there=not found,
        rights_version=said.get(past, recorded if gacl_tables else None),
        col_exists=names.col in found,
        col_tables=found.get(names.col, (0, False))[0],
        gacl_tables=gacl_tables,
        col_removed=own_past in said and said[own_past] is None,
        gacl_removed=past in said and said[past] is None,
    )


def recorded_version(cursor: Cursor, schema: str) -> str | None:
    """Return the version in Alembic's table in that schema, or None; raise `UntrustedTable`."""
    plain = cursor.mogrify(
        statement("plain_table"), {"schemas": [schema], "table": VERSION_TABLE}
    ).decode()
    body = _IF_PLAIN.format(plain=plain, query=quoting.literal(_recorded(schema)))
    cursor.execute(
        f"do {quoting.literal(body)};"
        " select pg_catalog.current_setting('collec_migrations.version')::json"
    )
    (((owner, beyond, version),),) = cursor.fetchall()
    _refuse_beyond(schema, owner, beyond)
    return None if version is None else str(version)


_IF_PLAIN = """
declare
    found record;
    said record;
begin
    select null::text as version into said;
    select * into found from ({plain}) as plain (schema, kind, owner, is_superusers, beyond);
    if found.beyond = array[]::text[] then
        execute {query} into said;
    end if;
    perform pg_catalog.set_config('collec_migrations.version',
        pg_catalog.json_build_array(found.owner, found.beyond, said.version)::text, false);
end
"""
"""Reads the version where its table is plain, in one round trip: see `has_version_table`."""


def has_version_table(cursor: Cursor, schema: str) -> bool:
    """Return whether Alembic's table is in that schema.

    Raises `UntrustedTable` for what is there by that name and is more than a plain table: to read
    or to write a view, a rule or a trigger runs code of the schema's owner as whoever we are.
    """
    cursor.execute(statement("plain_table"), {"schemas": [schema], "table": VERSION_TABLE})
    found = cursor.fetchone()
    if found is None:
        return False
    _, _, owner, _, beyond = found
    _refuse_beyond(schema, owner, beyond)
    return True


def _refuse_beyond(schema: str, owner: str, beyond: Sequence[str] | None) -> None:
    if beyond:
        raise UntrustedTable(
            f"{VERSION_TABLE} in the schema {schema!r} is not Alembic's plain table: {beyond[0]}",
            hint=f"Ask {owner!r}, its owner, why; Alembic's has one column and a primary key.",
        )


def version_table(schema: str) -> str:
    """Return the statement that makes Alembic's table as Alembic itself does."""
    return (
        f"create table {quoting.identifier(schema)}.{VERSION_TABLE} (version_num varchar(32)"
        " not null, constraint alembic_version_pkc primary key (version_num))"
    )


def _recorded(schema: str) -> str:
    """Return the query of the version in Alembic's table: that table, the schema, the version."""
    return (
        f"select '{VERSION_TABLE}', {quoting.literal(schema)}, max(version_num)::text as version"
        f" from {quoting.identifier(schema)}.{VERSION_TABLE}"
    )


def _last(schema: str) -> str:
    """Return the query of the last version in a schema's history; no row where it is empty."""
    return (
        f"(select '{TABLE}', {quoting.literal(schema)}, version::text"
        f" from {quoting.identifier(schema)}.{TABLE}"
        " order by migration_history_id desc limit 1)"
    )


def data_schemas(cursor: Cursor, names: Names) -> Mapping[str, str | None]:
    """Return the version of each data schema that uses the rights schema of a pair.

    None: it has none, or it may not be read. An archive of the rights schema is no user.
    """
    parameters = {
        "gacl": names.gacl,
        "archive": names.gacl_archive,
        "version_table": VERSION_TABLE,
    }
    cursor.execute(statement("rights_users"), parameters)
    return {
        schema: recorded_version(cursor, schema) if readable else None
        for schema, readable in cursor.fetchall()
    }


def newest_of_others(
    found: Mapping[str, str | None], names: Names, versions: Sequence[str]
) -> str | None:
    """Return the newest version that a data schema other than that of `names` is at.

    One whose version is not known may need the rights schema as it is: it counts as the newest.
    None: no other data schema uses the rights schema.
    """
    others = [version for schema, version in found.items() if schema != names.col]
    if not others:
        return None
    if any(version not in versions for version in others):
        return versions[-1]
    return max((version for version in others if version), key=versions.index)


def newest(found: Sequence[str | None], versions: Sequence[str]) -> str | None:
    """Return the newest of some versions; None when all are None."""
    return max((version for version in found if version), key=versions.index, default=None)
