"""One run at a time on a database, who holds locks there, how long a run waits for one."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2.extensions import TRANSACTION_STATUS_INTRANS
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.errors import ConnectionFailed, RunInProgress

KEY = 0x636F6C6C6563  # "collec" in ASCII: one lock for each database, whatever the schemas
SETUP_KEY = KEY + 1
"""The lock of who makes roles and databases: it is taken beside that of the new database."""
PAUSE = 0.2
"""Seconds between two tries. Polled: a session that waits inside the server holds a snapshot,
and `create index concurrently` of the run that holds the lock would wait for it for ever."""

SESSION = "select pg_catalog.pg_try_advisory_lock(%s)"
TRANSACTION = "select pg_catalog.pg_try_advisory_xact_lock(%s)"
AGAIN = f"""
select exists (select 1 from pg_catalog.pg_locks l
               where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'advisory' and l.granted
                 and l.objsubid = 1 and (l.classid::bigint << 32 | l.objid::bigint) = %s),
       ({TRANSACTION})
"""
HOLDER = """
select a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'unnamed'),
       to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS')
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and (l.classid::bigint << 32 | l.objid::bigint) = %s
"""


@contextmanager
def held(
    connection: Connection, *, wait: float, say: Callable[[str], None], key: int = KEY
) -> Iterator[None]:
    """Hold the lock of the database for the time of a `with`, waiting `wait` seconds for it.

    The connection must be outside a transaction, and is again afterwards. Says once for whom it
    waits; raises `Locked` when the time is over. The lock belongs to the session, so that it
    outlives a rollback and dies with the connection.
    """
    with without_transaction(connection):
        _obtain(connection, SESSION, key=key, wait=wait, say=say)
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            with without_transaction(connection):
                _ask(connection, "select pg_catalog.pg_advisory_unlock(%s)", key)


@contextmanager
def without_transaction(connection: Connection) -> Iterator[None]:
    """Let each statement in a block be one of its own; no transaction may be open."""
    before, connection.autocommit = connection.autocommit, True
    try:
        yield
    finally:
        if not connection.closed:
            connection.autocommit = before


def hold_in_transaction(connection: Connection, *, wait: float, say: Callable[[str], None]) -> None:
    """Hold the lock until the transaction that is open ends, whoever ends it; else as `held`."""
    assert connection.get_transaction_status() == TRANSACTION_STATUS_INTRANS
    _obtain(connection, TRANSACTION, key=KEY, wait=wait, say=say)


def hold_same_session(cursor: Cursor) -> None:
    """Hold the lock in the transaction that is open, too; raise when the session is another one.

    A pooler in transaction mode gives each transaction any session: the lock of `held` would stay
    behind on one of them, and two runs could pass each other.
    """
    cursor.execute(AGAIN, (KEY, KEY))
    ((is_mine, is_held),) = cursor.fetchall()
    if not is_mine:
        raise ConnectionFailed(
            "the connection goes through a pooler in transaction mode: it changed its session",
            hint="Connect to the server itself, or let the pooler pool by session.",
        )
    if not is_held:
        raise RunInProgress(
            f"another run holds this database: {_holder(cursor.connection, KEY)}",
            hint="Wait until it has ended, then run it again.",
        )


def statement(*, whole_session: bool) -> str:
    """Return what takes the lock in a script for psql, or fails: it has no way to wait."""
    query = (SESSION if whole_session else TRANSACTION) % KEY
    return f"""\
do $$
begin
    if not ({query}) then
        raise 'another run holds this database';
    end if;
end
$$;
"""


def _obtain(
    connection: Connection,
    query: str,
    *,
    key: int,
    wait: float,
    say: Callable[[str], None],
) -> None:
    """Ask for the lock until it is given."""
    deadline = time.monotonic() + wait
    told = False
    while True:
        obtained = _ask(connection, query, key)
        holder = "" if obtained else _holder(connection, key)
        if obtained:
            return
        if time.monotonic() >= deadline:
            raise RunInProgress(
                f"another run holds this database: {holder}",
                hint="Wait until it has ended, or wait longer with -x lock_wait=SECONDS.",
            )
        if not told:
            say(f"waiting for another run on this database: {holder}")
            told = True
        time.sleep(min(PAUSE, max(0.0, deadline - time.monotonic())))


def _holder(connection: Connection, key: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(HOLDER, (key,))
        row = cursor.fetchone()
    if row is None:
        return "it has just ended"
    pid, user, application, since = row
    # Only the same role and pg_read_all_stats see more of a session than pid and user.
    return f"pid {pid}, user {user}, {application}, since {since or 'an unknown time'}"


def _ask(connection: Connection, query: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, (key,))
        row = cursor.fetchone()
    return bool(row and row[0])


SHOWN_QUERY = 60
SHOWN_TABLES = 3
BLOCKERS = """
select l.pid, coalesce(a.usename::text, '?'),
       coalesce(nullif(a.application_name, ''), 'unnamed'), coalesce(a.state, '?'),
       coalesce(to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS'), '?'), coalesce(a.query, ''),
       array_agg(distinct n.nspname || '.' || c.relname order by n.nspname || '.' || c.relname)
from pg_catalog.pg_locks l
join pg_catalog.pg_class c on c.oid = l.relation
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and n.nspname = any (%s::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
group by l.pid, a.usename, a.application_name, a.state, a.xact_start, a.query
order by a.xact_start, l.pid
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A session that holds locks on tables; without pid it is a prepared transaction."""

    pid: int | None
    user: str
    application: str
    state: str
    since: str
    """Beginning of its transaction."""
    query: str
    """Beginning of its last query, in one line."""
    tables: tuple[str, ...]

    def __str__(self) -> str:
        tables = ", ".join(self.tables[:SHOWN_TABLES])
        more = len(self.tables) - SHOWN_TABLES
        held = f"holds {tables}" + (f" and {more} more" if more > 0 else "")
        if self.pid is None:
            return f"a prepared transaction {held}"
        return (
            f"pid {self.pid}, user {self.user}, {self.application}, {self.state}"
            f" since {self.since}, {held}: {self.query}"
        )


def read_blockers(cursor: Cursor, schemas: Sequence[str]) -> tuple[Blocker, ...]:
    """Return the other sessions with locks on relations of these schemas, oldest first."""
    cursor.execute(BLOCKERS, (list(schemas),))
    return tuple(
        Blocker(
            pid=pid,
            user=user,
            application=application,
            state=state,
            since=since,
            query=" ".join(query.split())[:SHOWN_QUERY],
            tables=tuple(tables),
        )
        for pid, user, application, state, since, query, tables in cursor.fetchall()
    )
