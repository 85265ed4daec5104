"""The server: its release, what waits for a restart, and settings that can lose data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from psycopg2 import extensions

from collec_migrations.doctor.report import ATTENTION, BROKEN, Line, checked, unknown
from collec_migrations.errors import Level
from collec_migrations.postgres import binaries, pg_versions
from collec_migrations.postgres.queries import statement

GROUP, SETTINGS = "server", "settings"
WARNED = timedelta(days=180)
"""Time to plan a move to another major."""
RESTART = "systemctl restart postgresql"
PACKAGES = "/usr/"
"""Only a package's programs tell what the server would be after a restart, a wheel's do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a server says of itself."""

    version: int
    """server_version_num"""
    release: str
    in_recovery: bool
    pending: tuple[str, ...]
    """Settings that wait for a restart."""
    installed: tuple[int, ...]
    """Release of the same major that this machine has in a package; empty: none, or not here."""


def read(connection: extensions.connection, *, local: bool) -> Facts:
    """Return what a server says; `local` means that it runs on this machine."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("health_server"))
        row = cursor.fetchone()
    assert row is not None
    release, in_recovery, pending = row
    version = connection.server_version
    return Facts(
        version=version,
        release=str(release).partition(" ")[0],
        in_recovery=in_recovery,
        pending=tuple(pending),
        installed=_installed(version // 10000) if local else (),
    )


def judge(facts: Facts, today: date) -> Iterator[Line]:
    """Yield the lines about a server."""
    yield _release(facts, today)
    newer = facts.installed > _numbers(facts.release)
    package, pending = ".".join(map(str, facts.installed)), ", ".join(facts.pending)
    yield checked(
        *(GROUP, "restart", "nothing waits for a restart"),
        (newer, ATTENTION, f"PostgreSQL {package} is installed, and {facts.release} still runs",
         RESTART),
        (bool(pending), ATTENTION, f"settings wait for a restart: {pending}", RESTART),
    )  # fmt: skip


def _release(facts: Facts, today: date) -> Line:
    name = f"PostgreSQL {facts.release}" + (", a standby" if facts.in_recovery else "")
    if pg_versions.is_newer(str(facts.version // 10000)):
        return unknown(GROUP, "release", f"{name}: newer than this tool")
    end = date.fromisoformat(pg_versions.text("end_of_life", pg_versions.of(facts.version)) or "")
    newest = pg_versions.KNOWN[-1]
    move = f"Move to a newer major, as {newest}; try it: collec-migrations backup verify last "
    move += f"--server {newest}"
    return checked(
        *(GROUP, "release", f"{name}, corrected until {end}"),
        (today > end, BROKEN, f"{name}: no corrections since {end}", move),
        (today > end - WARNED, ATTENTION, f"{name}: corrected only until {end}", move),
    )


def _installed(major: int) -> tuple[int, ...]:
    found = [
        _numbers(one.version)
        for one in binaries.at_hand()
        if one.major == major and str(one.bin_dir).startswith(PACKAGES)
    ]
    return max(found, default=())


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".") if part.isdigit())


RULES: Mapping[str, tuple[tuple[str, ...], str, Level, str]] = {
    "fsync": (("off",), "on", BROKEN, "a power cut can ruin the database"),
    "full_page_writes": (
        ("off",), "on", BROKEN, "a power cut can ruin pages that were being written",
    ),
    "synchronous_commit": (
        ("off",), "on", ATTENTION, "a crash loses what was entered in the last second",
    ),
    "default_transaction_read_only": (("on",), "off", BROKEN, "the application cannot write"),
    "autovacuum": (
        ("off",), "on", BROKEN,
        "tables grow without end, and in the end the server takes no more writes",
    ),
    "track_counts": (("off",), "on", BROKEN, "autovacuum does nothing without it"),
    "zero_damaged_pages": (
        ("on",), "off", BROKEN, "damaged pages are emptied instead of reported",
    ),
    "password_encryption": (
        ("md5", "on", "off"), "scram-sha-256", ATTENTION,
        "new passwords are stored by md5, which PostgreSQL gives up",
    ),
    "wal_level": (
        ("minimal",), "replica", ATTENTION,
        "neither a standby nor point-in-time recovery is possible",
    ),
}  # fmt: skip
"""Settings: values that they should not have, a good one, how bad it is, and why."""
NEED_RESTART = ("wal_level",)
CHECKSUMS = (
    "stop the server; pg_checksums --enable -D DATA_FOLDER; start it"
    " (or: COLLEC_DOCTOR_IGNORE=data_checksums)"
)


Setting = tuple[str, str]
"""The value that is in force, and its source as pg_settings has it: `database`, `user` ..."""


def read_settings(connection: extensions.connection) -> Mapping[str, Setting]:
    """Return the settings of this session's database and role, as they are in force."""
    names = [*RULES, "data_checksums", "ssl", "listen_addresses"]
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(
            # What counts is what a new session would have, not what ours set for itself.
            "select name, reset_val, case source when 'session' then '' else source end"
            " from pg_catalog.pg_settings where name = any (%s)",
            (names,),
        )
        return {name: (value, source) for name, value, source in cursor.fetchall()}


def judge_settings(found: Mapping[str, Setting]) -> Iterator[Line]:
    """Yield a line for each setting."""
    for name, (bad, good, level, why) in RULES.items():
        if name not in found:
            may_not = "this role may not see it"
            yield unknown(SETTINGS, name, may_not, "grant pg_monitor to the role")
            continue
        value, source = found[name]
        wrong = (value in bad, level, f"{value}: {why}", _fix(name, good, source))
        yield checked(SETTINGS, name, value, wrong)
    checksums, ssl, listen = (
        found.get(name, ("", ""))[0] for name in ("data_checksums", "ssl", "listen_addresses")
    )
    yield checked(
        *(SETTINGS, "data_checksums", checksums or "unknown"),
        (checksums == "off", ATTENTION,
         "off: damage on the disk goes unnoticed, into the backups too", CHECKSUMS),
    )  # fmt: skip
    where = [one.strip() for one in listen.split(",") if one.strip()]
    inside = all(one in ("localhost", "::1") or one.startswith("127.") for one in where)
    reach = f"listens on {', '.join(where)}" if where else "listens on its socket alone"
    yield checked(
        *(SETTINGS, "ssl", f"{ssl or 'unknown'}, {reach}"),
        (ssl == "off" and not inside, ATTENTION, f"off, and the server {reach}: all is sent in"
         " clear", "alter system set ssl = 'on' (with server.crt and server.key)"),
    )  # fmt: skip


def _fix(name: str, good: str, source: str) -> str:
    """Return what to run: it depends on where the value comes from."""
    if source in ("database", "user", "database user"):
        whose = {"database": "database NAME", "user": "role NAME"}
        return f"alter {whose.get(source, 'role NAME in database NAME')} reset {name}"
    if source in ("command line", "environment variable"):
        return f"remove it from the server's {source}, and restart the server"
    then = "restart the server" if name in NEED_RESTART else "select pg_reload_conf()"
    return f"alter system set {name} = '{good}'; {then}"
