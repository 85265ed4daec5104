"""What loading rows needs: columns, keys, ids that are taken, sequences, unchecked keys."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files

from psycopg2 import extensions, sql

from collec_migrations.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, with the sequence of its schema that its default draws from, if any."""

    role: str
    table: str
    name: str
    type: str
    sequence: str | None
    base: str
    """The type's bare name; of a domain, that of the type below it."""
    category: str
    """As in `pg_type.typcategory`."""
    nullable: bool
    computed: bool
    """The server gives the value, and takes no other one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The unique keys of a table, the primary key first, and what its columns refer to."""

    unique: list[list[str]] = field(default_factory=list)
    references: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Column to role, table and column."""


def columns(connection: extensions.connection, names: Names) -> tuple[Column, ...]:
    """Return the columns of all tables of the two schemas."""
    query = (files(__package__) / "columns.sql").read_text("utf-8")
    with connection.cursor() as cursor:
        cursor.execute(query, {"gacl": names.gacl, "col": names.col})
        names_of = ("role", "table", "name", "type", "sequence", "base", "category", "nullable",
                    "computed")  # fmt: skip
        return tuple(Column(**dict(zip(names_of, row, strict=True))) for row in cursor)


def keys(connection: extensions.connection, names: Names) -> dict[tuple[str, str], Keys]:
    """Return the keys of each table, by role and name."""
    query = (files(__package__) / "keys.sql").read_text("utf-8")
    found: dict[tuple[str, str], Keys] = defaultdict(Keys)
    with connection.cursor() as cursor:
        cursor.execute(query, {"gacl": names.gacl, "col": names.col})
        for role, table, columns, parent_role, parent, parent_column, _ in cursor:
            if parent is None:
                found[role, table].unique.append(columns)
            else:
                found[role, table].references[columns[0]] = (parent_role, parent, parent_column)
    return found


def taken(connection: extensions.connection, schema: str, table: str, key: str | None) -> int:
    """Return the greatest id of a table, of one without ids the number of its rows."""
    highest: sql.Composable = sql.SQL("count(*)")
    if key is not None:
        highest = sql.SQL("coalesce(max({}), 0)").format(sql.Identifier(key))
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("select {} from {}").format(highest, sql.Identifier(schema, table)))
        return int((cursor.fetchone() or (0,))[0])


def advance_sequences(
    connection: extensions.connection, names: Names, found: tuple[Column, ...]
) -> None:
    """Set every sequence to the greatest id that its columns hold, never back."""
    drawn: dict[tuple[str, str], list[Column]] = {}
    for column in found:
        if column.sequence is not None:
            drawn.setdefault((column.role, column.sequence), []).append(column)
    with connection.cursor() as cursor:
        for (role, sequence), users in drawn.items():
            schema = names.gacl if role == "gacl" else names.col
            cursor.execute(_advance(schema, sequence, users))


def _advance(schema: str, sequence: str, users: list[Column]) -> sql.Composed:
    """Return the statement that advances one sequence, unless no id is one that it could give."""
    highest = sql.SQL(", ").join(
        sql.SQL("(select max({}) from {})").format(
            sql.Identifier(user.name), sql.Identifier(schema, user.table)
        )
        for user in users
    )
    return sql.SQL(
        "select setval(format('%I.%I', {}, {})::regclass, highest) from (select greatest({},"
        " (select case when is_called then last_value end from {})) as highest) as used"
        " where highest > 0"
    ).format(sql.Literal(schema), sql.Literal(sequence), highest, sql.Identifier(schema, sequence))


@contextmanager
def unchecked(connection: extensions.connection) -> Iterator[None]:
    """Skip the check of every single foreign key in this block, if the role may.

    Only a superuser may. The checks take three quarters of the time of loading.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('is_superuser'), current_setting('session_replication_role')"
        )
        superuser, before = cursor.fetchone() or ("off", "")
        if superuser != "on":
            yield
            return
        cursor.execute("set session_replication_role to replica")
        try:
            yield
        finally:
            # After an error the transaction is lost, and the setting with it.
            if connection.info.transaction_status != extensions.TRANSACTION_STATUS_INERROR:
                cursor.execute(
                    "select set_config('session_replication_role', %s, false)", (before,)
                )
