"""What every session of ours begins with: nothing that a database or role was set to decides.

The owner of a database may set its `search_path` and put functions and operators there that are
called instead of the server's own (CVE-2018-1058). What follows is one statement that names a
schema for all it calls, so that it cannot be diverted itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import TRANSACTION_STATUS_INERROR, make_dsn, parse_dsn
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.postgres import pg_versions

PATH = "pg_catalog, pg_temp"
"""Temporary tables last: unnamed, PostgreSQL looks among them first."""

SETTINGS = (
    # (name, value, since which server; manual, chapter 20)
    ("search_path", PATH, 0),
    ("row_security", "off", 90500),  # an error, never silently fewer rows
    ("DateStyle", "ISO, MDY", 0),
    ("IntervalStyle", "postgres", 0),
    ("bytea_output", "hex", 0),
    ("quote_all_identifiers", "off", 0),
    ("standard_conforming_strings", "on", 0),
    ("client_min_messages", "notice", 0),
    ("default_transaction_deferrable", "off", 0),
    ("default_transaction_isolation", "read committed", 0),
    # Ours does not wait for standbys that may never come: durable here, sent as soon as possible.
    ("synchronous_commit", "local", 0),
    ("jit", "off", 110000),  # it compiled each of our queries: 21 s instead of 4 for one run
    ("statement_timeout", "0", 0),
    ("transaction_timeout", "0", 170000),
    ("idle_session_timeout", "0", 140000),
    ("idle_in_transaction_session_timeout", "15min", 90600),
    # A client whose network went dark is noticed after two minutes, not after two hours.
    ("tcp_keepalives_idle", "60", 0),
    ("tcp_keepalives_interval", "10", 0),
    ("tcp_keepalives_count", "6", 0),
    ("tcp_user_timeout", "120000", 120000),
)

LIVENESS_SINCE = 140000
# A server otherwise ends a long statement, with all its locks, before it sees its client dead. Only
# where the server's system can tell (manual, 20.3.1): surely Linux.
LIVENESS = (
    "case when pg_catalog.version() operator(pg_catalog.~~) '%%linux%%'"
    " then pg_catalog.set_config('client_connection_check_interval', '1s', false) end"
)

KEEPALIVES = {
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "tcp_user_timeout": "120000",
}
"""The client's half, as libpq writes it; without effect on a socket of the same machine."""

OWN_PATH = f"set search_path = {PATH};"
"""Search nothing of anybody else's: SET calls no function that could be diverted."""


def with_keepalives(dsn: str) -> str:
    """Return an address whose connection notices a silent network, unless it says how itself."""
    said = parse_dsn(dsn)
    return str(make_dsn(dsn, **{name: KEEPALIVES[name] for name in KEEPALIVES if name not in said}))


def begin(
    connection: Connection, lock_timeout: float | None = None, *, read_only: bool = False
) -> None:
    """Give a new session its settings, for as long as it lasts; leaves no transaction open.

    `lock_timeout`: seconds that it waits for a lock at most; None: what the server has.
    `read_only`: it stays without transactions, and may not write.
    """
    pairs = _pairs(connection, lock_timeout)
    if read_only:
        pairs.append(("default_transaction_read_only", "on"))
    connection.autocommit = True
    with connection.cursor(cursor_factory=Cursor) as cursor:
        _put(cursor, pairs)
    connection.autocommit = read_only


def _put(cursor: Cursor, pairs: list[tuple[str, str]]) -> None:
    """Set everything in one round trip; a rollback takes it back."""
    pg_versions.warn_if_newer(cursor.connection.server_version)
    calls = ", ".join("pg_catalog.set_config(%s, %s, false)" for _ in pairs)
    # Messages in English where the role may choose: hints are found by them.
    english = (
        "case when pg_catalog.current_setting('is_superuser') operator(pg_catalog.=) 'on'"
        " then pg_catalog.set_config('lc_messages', 'C', false) end"
    )
    query = f"select {calls}, {english}"
    if cursor.connection.server_version >= LIVENESS_SINCE:
        query += f", {LIVENESS}"
    cursor.execute(query, [word for pair in pairs for word in pair])


@contextmanager
def lent(connection: Connection, lock_timeout: float) -> Iterator[None]:
    """Give the session of somebody else our settings, and put its own back.

    Leaves a transaction open: to begin and to end it is the caller's. After an error that the
    caller has not rolled back, nothing is put back: the rollback will do it.
    """
    pairs = _pairs(connection, lock_timeout)
    names = [*(name for name, _ in pairs), "lc_messages"]
    if connection.server_version >= LIVENESS_SINCE:
        names.append("client_connection_check_interval")
    read = ", ".join("pg_catalog.current_setting(%s)" for _ in names)
    with connection.cursor(cursor_factory=Cursor) as cursor:
        cursor.execute(f"select {read}", names)
        before = dict(zip(names, cursor.fetchone() or (), strict=True))
        _put(cursor, pairs)
    try:
        yield
    finally:
        if (
            not connection.closed
            and connection.get_transaction_status() != TRANSACTION_STATUS_INERROR
        ):
            _put_back(connection, before)


@contextmanager
def searching(cursor: Cursor, path: str = PATH) -> Iterator[None]:
    """Search another path in a block: by default, the one under which our own queries are safe.

    After an error nothing is put back: the rollback will do it.
    """
    cursor.execute(
        "select pg_catalog.current_setting('search_path'),"
        " pg_catalog.set_config('search_path', %s, false)",
        (path,),
    )
    before = (cursor.fetchone() or ("",))[0]
    yield
    cursor.execute("select pg_catalog.set_config('search_path', %s, false)", (before,))


def _put_back(connection: Connection, before: dict[str, str]) -> None:
    with connection.cursor(cursor_factory=Cursor) as cursor:
        calls = ", ".join(
            "case when pg_catalog.current_setting(%s) operator(pg_catalog.<>) %s"
            " then pg_catalog.set_config(%s, %s, false) end"
            for _ in before
        )
        values = [word for name, text in before.items() for word in (name, text, name, text)]
        cursor.execute(f"select {calls}", values)


def _pairs(connection: Connection, lock_timeout: float | None) -> list[tuple[str, str]]:
    """Return what this server knows; a timeout in the address, or in PGOPTIONS, is left."""
    said = connection.info.options or ""
    limits = [] if lock_timeout is None else [("lock_timeout", f"{round(lock_timeout * 1000)}ms")]
    return limits + [
        (name, value)
        for name, value, since in SETTINGS
        if connection.server_version >= since and not (name.endswith("_timeout") and name in said)
    ]
