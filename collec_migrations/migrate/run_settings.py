"""Settings of the session that a run needs, for as long as its transaction lasts.

Measured: with `jit` on, 1.1 to 26.2 takes five times as long on a database without rows. With
`row_security` on, rows that a policy hides would be dropped with nothing kept; off, the server
refuses. The others decide how values are written as text, by which the archive compares.
"""

from collections.abc import Mapping
from types import MappingProxyType

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.postgres import quoting

EXTENSIONS = ("pg_trgm", "pgcrypto", "postgis")
"""Extensions whose types, functions and operator classes the scripts name without a schema."""

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "row_security": "off",
        "jit": "off",
        "datestyle": "ISO",
        "intervalstyle": "postgres",
        "bytea_output": "hex",
        "client_min_messages": "warning",
        "check_function_bodies": "on",
        "default_tablespace": "",
    }
)
_SEARCH_PATH = (
    "select string_agg(distinct quote_ident(n.nspname), ', ') from pg_catalog.pg_extension x"
    " join pg_catalog.pg_namespace n on n.oid = x.extnamespace"
    f" where x.extname in ({', '.join(map(quoting.literal, EXTENSIONS))})"
)


def for_transaction() -> str:
    """Return the statement that makes these settings until the transaction ends.

    A setting that the server does not know (row_security came with 9.5, jit with 11) is left out.
    """
    values = ", ".join(
        f"({quoting.literal(name)}, {quoting.literal(value)})" for name, value in SETTINGS.items()
    )
    return (
        "do $collec$ begin perform pg_catalog.set_config(s.name, given.value, true)"
        f" from (values {values}) as given (name, value)"
        " join pg_catalog.pg_settings s on lower(s.name) = given.name;"
        f" perform pg_catalog.set_config('search_path', coalesce(({_SEARCH_PATH}), ''), true);"
        " end $collec$;"
    )


def read(cursor: Cursor) -> dict[str, str]:
    """Return what a session has for the settings of a run, and its search path."""
    cursor.execute(
        "select s.name, s.setting from pg_catalog.pg_settings s where lower(s.name) = any (%s)",
        ([*SETTINGS, "search_path"],),
    )
    return dict(cursor.fetchall())


def put_back(cursor: Cursor, before: Mapping[str, str]) -> None:
    """Give a transaction, which is not ours to end, the settings that it had."""
    for name, value in before.items():
        cursor.execute("select pg_catalog.set_config(%s, %s, true)", (name, value))
