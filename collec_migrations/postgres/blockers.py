"""Who holds locks on the tables of a site, so that a run which waits can say for whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

SHOWN_QUERY = 60
SHOWN_TABLES = 3
QUERY = """
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


def read(cursor: Cursor, schemas: Sequence[str]) -> tuple[Blocker, ...]:
    """Return the other sessions with locks on relations of these schemas, oldest first."""
    cursor.execute(QUERY, (list(schemas),))
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
