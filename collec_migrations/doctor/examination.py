"""Look at everything; what fails, or may not be read, becomes a line and stops nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from psycopg2.errorcodes import (
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    QUERY_CANCELED,
)
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import parse_dsn

from collec_migrations import backup
from collec_migrations.doctor import copies, maintenance, server
from collec_migrations.doctor import database as contents
from collec_migrations.doctor.report import ATTENTION, BROKEN, Line, Page, checked, disk, unknown
from collec_migrations.errors import ConnectionFailed, MigrationError
from collec_migrations.names import Names
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import NamedNode, with_timeout

PATIENCE = 10.0
"""Seconds to connect."""
SLOW = 30
"""Seconds that one question may take: a monitor must not hang, nor pile up."""
Pairs = Callable[[Connection], Sequence[Names]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is to be examined."""

    address: Address
    pairs: Pairs
    """Returns the pairs of schemas by a connection."""
    expected: str = ""
    """The version that the application asks for; empty: it was not read."""
    role: str = ""
    options: str = ""
    """What to repeat of the options in a command; never a password."""
    backups: Path | None = None
    nodes: tuple[NamedNode, ...] = ()
    ignored: frozenset[str] = frozenset()


def examine(site: Site) -> Page:
    """Return the page on a site; also when its server is down."""
    now = datetime.now(UTC)
    try:
        with closing(database.connect(with_timeout(site.address, PATIENCE))) as connection:
            connection.set_session(readonly=True)
            _limit(connection)
            name = str(connection.info.dbname)
            system = backup.system_identifier(connection)
            connection.rollback()
            lines = list(_of_server(connection, site, now))
    except (ConnectionFailed, psycopg2.Error) as error:
        name, system = str(parse_dsn(site.address.dsn).get("dbname", "")), ""
        lines = list(_unreachable(error))
    lines += _guarded("backup", lambda: copies.backups(site.backups, (system, name), now))
    lines += _guarded("standbys", lambda: copies.standbys(site.nodes, site.address))
    return Page(
        title=f"{name or 'the default database'} at {_place(site.address)}",
        lines=tuple(lines),
        ignored=site.ignored,
    )


def _of_server(connection: Connection, site: Site, now: datetime) -> Iterator[Line]:
    local = _is_local(connection)
    groups: Sequence[tuple[str, Callable[[], Iterable[Line]]]] = (
        (
            server.GROUP,
            lambda: server.judge(server.read(connection, local=local), now.date()),
        ),
        (contents.GROUP, lambda: [contents.encoding(connection)]),
        (contents.GROUP, lambda: _of_pairs(connection, site)),
        (server.SETTINGS, lambda: server.judge_settings(server.read_settings(connection))),
        (maintenance.GROUP, lambda: _of_maintenance(connection, local=local)),
    )
    for group, look in groups:
        yield from _guarded(group, look)
        connection.rollback()


def _of_pairs(connection: Connection, site: Site) -> Iterator[Line]:
    for names in site.pairs(connection):
        yield from contents.pair(
            connection, names, expected=site.expected, role=site.role, options=site.options
        )


def _of_maintenance(connection: Connection, *, local: bool) -> Iterator[Line]:
    facts = maintenance.read(connection)
    yield from maintenance.judge(facts, str(connection.info.dbname))
    folder = Path(facts.data_directory) if facts.data_directory and local else None
    why = "this role may not know where the data are" if local else "not on this machine"
    yield disk(maintenance.GROUP, "data disk", folder, why)


def _unreachable(error: Exception) -> Iterator[Line]:
    hint = error.hint if isinstance(error, MigrationError) else ""
    hint = hint or "systemctl status postgresql"
    wrong = (True, BROKEN, database.first_line(error), hint)
    yield checked(server.GROUP, "connection", "", wrong)


def _guarded(group: str, look: Callable[[], Iterable[Line]]) -> list[Line]:
    """Return the lines of a group; what fails becomes a line."""
    found: list[Line] = []
    try:
        found.extend(look())
    except psycopg2.Error as error:
        if error.pgcode is None:  # the connection is lost: nothing more can be asked
            raise
        found.append(_failed(group, error))
    except MigrationError as error:
        found.append(checked(group, group, "", (True, ATTENTION, str(error), error.hint)))
    return found


def _failed(group: str, error: psycopg2.Error) -> Line:
    text = database.first_line(error)
    if error.pgcode == INSUFFICIENT_PRIVILEGE:
        return unknown(group, group, text, "grant pg_monitor, pg_read_all_data to the role")
    slow = error.pgcode in (QUERY_CANCELED, LOCK_NOT_AVAILABLE)
    hint = "select * from pg_stat_activity (who holds it up?)" if slow else ""
    level = ATTENTION if slow else BROKEN
    return checked(group, group, "", (True, level, f"no answer: {text}", hint))


def _limit(connection: Connection) -> None:
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "lock_timeout"):
            cursor.execute("select pg_catalog.set_config(%s, %s, false)", (name, f"{SLOW}s"))
    connection.commit()


def _is_local(connection: Connection) -> bool:
    host = connection.info.host or ""
    return not host or host.startswith("/") or host in ("localhost", "127.0.0.1", "::1")


def _place(address: Address) -> str:
    parts = parse_dsn(address.dsn)
    host, port = parts.get("host", ""), parts.get("port", "")
    return ":".join(part for part in (str(host), str(port)) if part) or "libpq's default"
