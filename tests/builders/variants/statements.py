"""Statements with the names of the schemas put in, and the role that owns what it should not."""

from psycopg2 import extensions, sql

from collec_migrations.names import Names

STRANGER = "collec_stranger"
"""A role that owns what the application's account should own; it stays in the cluster."""


def create_stranger(connection: extensions.connection) -> None:
    """Create the role STRANGER unless the cluster has it."""
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", (STRANGER,))
        if cursor.fetchone() is None:
            cursor.execute(f"create role {STRANGER} nologin")


def run(connection: extensions.connection, names: Names, *statements: str) -> None:
    """Run statements with the names of the schemas, and of two tables as literals, put in."""
    values = {
        "gacl": sql.Identifier(names.gacl),
        "col": sql.Identifier(names.col),
        "mime_type": _regclass(names.col, "mime_type"),
        "movement_type": _regclass(names.col, "movement_type"),
    }
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**values))


def _regclass(schema: str, table: str) -> sql.Composed:
    return sql.SQL("format('%I.%I', {}, {})").format(sql.Literal(schema), sql.Literal(table))
