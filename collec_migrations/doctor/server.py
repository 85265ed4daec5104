"""The server's release, as long as it is kept up, and what waits for a restart."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from psycopg2 import extensions

from collec_migrations.doctor.report import Line, first_bad
from collec_migrations.postgres import binaries, pg_versions
from collec_migrations.postgres.queries import statement
from collec_migrations.replica.states import Verdict

GROUP = "server"
WARNED = timedelta(days=180)
"""Time to plan a move to another major."""
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
    package = ".".join(map(str, facts.installed))
    pending = ", ".join(facts.pending)
    yield first_bad(
        [
            (
                newer,
                Verdict.ATTENTION,
                f"PostgreSQL {package} is installed, and {facts.release} still runs",
                "systemctl restart postgresql",
            ),
            (
                bool(pending),
                Verdict.ATTENTION,
                f"settings wait for a restart: {pending}",
                "systemctl restart postgresql",
            ),
        ],
        group=GROUP,
        name="restart",
        good="nothing waits for a restart",
    )


def _release(facts: Facts, today: date) -> Line:
    name = f"PostgreSQL {facts.release}" + (", a standby" if facts.in_recovery else "")
    if pg_versions.is_newer(str(facts.version // 10000)):
        return Line(group=GROUP, name="release", verdict=None, text=f"{name}: newer than this tool")
    end = date.fromisoformat(pg_versions.text("end_of_life", pg_versions.of(facts.version)) or "")
    newest = pg_versions.KNOWN[-1]
    move = f"Move to a newer major, as {newest}; try it: collec-migrations backup verify last "
    move += f"--major {newest}"
    return first_bad(
        [
            (today > end, Verdict.BROKEN, f"{name}: no corrections since {end}", move),
            (today > end - WARNED, Verdict.ATTENTION, f"{name}: corrected only until {end}", move),
        ],
        group=GROUP,
        name="release",
        good=f"{name}, corrected until {end}",
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
