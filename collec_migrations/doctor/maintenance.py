"""What goes wrong with time: connections, transactions, ids, archiving, indexes, collations."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2 import errors, extensions

from collec_migrations.doctor.report import (
    ATTENTION,
    BROKEN,
    Figure,
    Line,
    ago,
    checked,
    unknown,
)
from collec_migrations.postgres import pg_versions, quoting
from collec_migrations.postgres.queries import statement

GROUP = "maintenance"
HOUR = 3600.0
EMPTY = ("", "(disabled)")
NOTHING = ("/bin/true", "/usr/bin/true", "true", ":", "exit 0")
MANY, PATIENCE = 3, 300.0
"""So many WAL files, and seconds for the oldest, are no burst any more."""
FREEZE_LATE = 2.0
"""Times autovacuum_freeze_max_age: autovacuum did not manage to freeze for so long."""
LAST_IDS = 1_600_000_000
"""From 2,146,483,648 on the server takes no more writes; from 1.6 thousand million it hurries
(vacuum_failsafe_age, PostgreSQL manual 24.1.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a server has to show."""

    connections: int
    room: int
    """Connections that ordinary roles can have."""
    sees_all: bool
    """Whether this role sees what others do."""
    oldest: float | None
    """Seconds since the oldest transaction began."""
    oldest_pid: int | None
    prepared: float | None
    prepared_name: str | None
    age: int
    """Of the oldest transaction id that is not frozen."""
    freeze_at: int
    archive_failed: bool
    archive_file: str | None
    archive_mode: str
    archive_command: str | None
    """None: this role may not know, and where a library archives."""
    archive_waiting: int
    """WAL files that wait to be archived."""
    archive_waits: float
    """Seconds since the oldest of them was complete."""
    invalid: tuple[str, ...]
    """Indexes that a failed `create index concurrently` has left."""
    data_directory: str | None
    """None: this role may not know."""
    collations: tuple[tuple[str, str | None, str | None], ...]
    """Name, or empty for the database's own; version when the indexes were made, and now."""


def read(connection: extensions.connection) -> Facts:
    """Return what a server has to show."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("health_maintenance"))
        row = cursor.fetchone()
        assert row is not None
        found: list[tuple[str, str | None, str | None]] = []
        if pg_versions.server_has(connection.server_version, "collation_versions"):
            cursor.execute(statement("health_collation"))
            found = cursor.fetchall()
    (connections, room, sees_all, oldest, pid, prepared, gid, age, freeze_at, failed, file, mode,
     archive_command, archive_library, invalid, data) = row  # fmt: skip
    waiting, waits = _waiting(connection, sees_all=sees_all)
    return Facts(
        connections=connections,
        room=room,
        sees_all=sees_all,
        oldest=oldest,
        oldest_pid=pid,
        prepared=prepared,
        prepared_name=gid,
        age=age,
        freeze_at=freeze_at,
        archive_failed=failed,
        archive_file=file,
        archive_mode=mode,
        archive_command=None if archive_library else archive_command,
        archive_waiting=waiting,
        archive_waits=waits,
        invalid=tuple(invalid),
        data_directory=data,
        collations=tuple(found),
    )


def _waiting(connection: extensions.connection, *, sees_all: bool) -> tuple[int, float]:
    """Return how many WAL files wait to be archived, and for how many seconds the oldest."""
    known = pg_versions.server_has(connection.server_version, "archive_status_function")
    if not (known and sees_all):
        return 0, 0.0
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("savepoint archive_status")
        try:
            cursor.execute(statement("health_archive_status"))
        except errors.InsufficientPrivilege:
            cursor.execute("rollback to savepoint archive_status")
            return 0, 0.0
        count, seconds = cursor.fetchone() or (0, None)
    return count, seconds or 0.0


def judge(facts: Facts, database: str) -> Iterator[Line]:
    """Yield the lines about what goes wrong with time."""
    yield _connections(facts)
    yield _transactions(facts)
    yield _ids(facts)
    yield _archiving(facts)
    invalid, found = facts.invalid, facts.collations
    again = f"reindex index concurrently {invalid[0]}" if invalid else ""
    text = f"not used: {', '.join(invalid)}"
    yield checked(GROUP, "indexes", "all are valid", (bool(invalid), ATTENTION, text, again))
    text = "; ".join(_collation(*one, database) for one in found)
    again = "; ".join((f"reindex database {quoting.identifier(database)}",
                       *(_refresh(*one, database) for one in found)))  # fmt: skip
    yield checked(
        *(GROUP, "collations", "as when the indexes were made"),
        (bool(found), ATTENTION, text, again),
    )


def _collation(name: str, old: str | None, new: str | None, database: str) -> str:
    what = name or f"the collation of database {database}"
    if old is None:
        return f"{what} has no recorded version: its order may have changed under the indexes"
    return f"the order of {what} changed under the indexes, from {old} to {new}"


def _refresh(name: str, old: str | None, new: str | None, database: str) -> str:
    """Return the statement that records a version; REFRESH takes none in the place of nothing."""
    if old is not None and new is not None:
        if name:
            return f"alter collation {name} refresh version"
        return f"alter database {quoting.identifier(database)} refresh collation version"
    if name:
        return (
            "update pg_collation set collversion = pg_collation_actual_version(oid)"
            f" where oid = {quoting.literal(name)}::regcollation"
        )
    return (
        "update pg_database set datcollversion = pg_database_collation_actual_version(oid)"
        f" where datname = {quoting.literal(database)}"
    )


def _connections(facts: Facts) -> Line:
    share = facts.connections / max(facts.room, 1)
    text = f"{facts.connections} of {facts.room} are in use"
    more = "alter system set max_connections = ...; or end sessions: select * from pg_stat_activity"
    return checked(
        *(GROUP, "connections", text),
        (share >= 0.95, BROKEN, text, more),
        (share >= 0.8, ATTENTION, text, more),
        figure=Figure(value=facts.connections),
    )


def _transactions(facts: Facts) -> Line:
    oldest, prepared = facts.oldest or 0.0, facts.prepared or 0.0
    if not facts.sees_all and not prepared:
        why = "this role does not see what others do"
        return unknown(GROUP, "transactions", why, "grant pg_monitor to the role")
    keeps = "it keeps dead rows and blocks an upgrade"
    open_ = f"one is open for {ago(oldest)}: {keeps}"
    waiting = f"one is prepared for {ago(prepared)}: {keeps}"
    end = f"select pg_terminate_backend({facts.oldest_pid})"
    undo = f"rollback prepared '{facts.prepared_name}'"
    return checked(
        GROUP,
        "transactions",
        f"the oldest is open for {ago(oldest)}" if oldest else "none is open",
        (prepared > 24 * HOUR, BROKEN, waiting, undo),
        (oldest > 24 * HOUR, BROKEN, open_, end),
        (prepared > HOUR, ATTENTION, waiting, undo),
        (oldest > HOUR, ATTENTION, open_, end),
    )


def _ids(facts: Facts) -> Line:
    late = facts.age > max(FREEZE_LATE * facts.freeze_at, facts.freeze_at + 50_000_000)
    freeze = "vacuumdb --all --freeze; see also old transactions and unused slots"
    text = f"the oldest transaction id is {facts.age:,} old, of at most 2,146,483,648"
    return checked(
        *(GROUP, "ids", text),
        (facts.age >= LAST_IDS, BROKEN, text, freeze),
        (late, ATTENTION, text, freeze),
        figure=Figure(value=facts.age),
    )


def _archiving(facts: Facts) -> Line:
    if facts.archive_mode == "off":
        return Line(GROUP, "archiving", "off")
    command = None if facts.archive_command is None else facts.archive_command.strip()
    waits = f"{facts.archive_waiting} WAL files wait, the oldest for {ago(facts.archive_waits)}"
    full, pitr = "WAL fills the disk", "collec-migrations backup schedule --tool pitr"
    see = f"See the server's log, then archive_command; {pitr}"
    return checked(
        *(GROUP, "archiving", "nothing failed"),
        (facts.archive_failed, BROKEN,
         f"{facts.archive_file} could not be archived: {full}, and a recovery stops there", see),
        (command in EMPTY, BROKEN, f"archive_mode is on and archive_command is empty: {full}",
         f"Set archive_command, or archive_mode = off; {pitr}"),
        (facts.archive_waiting >= MANY and facts.archive_waits > PATIENCE, BROKEN,
         f"{waits}: archive_command hangs, and {full}", see),
        (command in NOTHING, ATTENTION,
         f"archive_command is {command}, which keeps nothing: no recovery to a moment",
         "Set an archive_command that copies, or archive_mode = off"),
    )  # fmt: skip
