"""The server: its release, what waits for a restart, and settings that can lose data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from psycopg2 import extensions

from collec_migrations.doctor.report import Line, first_bad
from collec_migrations.postgres import binaries, pg_versions
from collec_migrations.postgres.queries import statement
from collec_migrations.replica import Verdict

GROUP, SETTINGS = "server", "settings"
ATTENTION, BROKEN = Verdict.ATTENTION, Verdict.BROKEN
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
                ATTENTION,
                f"PostgreSQL {package} is installed, and {facts.release} still runs",
                "systemctl restart postgresql",
            ),
            (
                bool(pending),
                ATTENTION,
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
    move += f"--server {newest}"
    return first_bad(
        [
            (today > end, BROKEN, f"{name}: no corrections since {end}", move),
            (today > end - WARNED, ATTENTION, f"{name}: corrected only until {end}", move),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A value that a setting should not have, and why."""

    setting: str
    bad: tuple[str, ...]
    verdict: Verdict
    why: str
    restart: bool = False
    """Whether another value needs a restart."""


RULES = (
    Rule(setting="fsync", bad=("off",), verdict=BROKEN, why="a power cut can ruin the database"),
    Rule(
        setting="full_page_writes",
        bad=("off",),
        verdict=BROKEN,
        why="a power cut can ruin pages that were being written",
    ),
    Rule(
        setting="synchronous_commit",
        bad=("off",),
        verdict=ATTENTION,
        why="a crash loses what was entered in the last second",
    ),
    Rule(
        setting="default_transaction_read_only",
        bad=("on",),
        verdict=BROKEN,
        why="the application cannot write",
    ),
    Rule(
        setting="autovacuum",
        bad=("off",),
        verdict=BROKEN,
        why="tables grow without end, and in the end the server takes no more writes",
    ),
    Rule(
        setting="track_counts",
        bad=("off",),
        verdict=BROKEN,
        why="autovacuum does nothing without it",
    ),
    Rule(
        setting="zero_damaged_pages",
        bad=("on",),
        verdict=BROKEN,
        why="damaged pages are emptied instead of reported",
    ),
    Rule(
        setting="password_encryption",
        bad=("md5", "on", "off"),
        verdict=ATTENTION,
        why="new passwords are stored by md5, which PostgreSQL gives up",
    ),
    Rule(
        setting="wal_level",
        bad=("minimal",),
        verdict=ATTENTION,
        why="neither a standby nor point-in-time recovery is possible",
        restart=True,
    ),
)
GOOD: Mapping[str, str] = {
    "password_encryption": "scram-sha-256",
    "wal_level": "replica",
    "default_transaction_read_only": "off",
    "zero_damaged_pages": "off",
}
CHECKSUMS = (
    "stop the server; pg_checksums --enable -D DATA_FOLDER; start it"
    " (or: COLLEC_DOCTOR_IGNORE=data_checksums)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting that is in force."""

    value: str
    source: str = ""
    """As pg_settings has it: `configuration file`, `database`, `user` ..."""


def read_settings(connection: extensions.connection) -> Mapping[str, Setting]:
    """Return the settings of this session's database and role, as they are in force."""
    names = [*(rule.setting for rule in RULES), "data_checksums", "ssl", "listen_addresses"]
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(
            # What counts is what a new session would have, not what ours set for itself.
            "select name, reset_val, case source when 'session' then '' else source end"
            " from pg_catalog.pg_settings where name = any (%s)",
            (names,),
        )
        return {
            name: Setting(value=value, source=source) for name, value, source in cursor.fetchall()
        }


def judge_settings(found: Mapping[str, Setting]) -> Iterator[Line]:
    """Yield a line for each setting."""
    for rule in RULES:
        yield _by_rule(rule, found.get(rule.setting))
    values = {name: one.value for name, one in found.items()}
    yield _checksums(values.get("data_checksums"))
    yield _encryption(values.get("ssl"), values.get("listen_addresses"))


def _by_rule(rule: Rule, one: Setting | None) -> Line:
    if one is None:
        return Line(
            group=SETTINGS, name=rule.setting, verdict=None, text="this role may not see it",
            command="grant pg_monitor to the role",
        )  # fmt: skip
    if one.value not in rule.bad:
        return Line(group=SETTINGS, name=rule.setting, verdict=Verdict.OK, text=one.value)
    return Line(
        group=SETTINGS,
        name=rule.setting,
        verdict=rule.verdict,
        text=f"{one.value}: {rule.why}",
        command=_fix(rule, one.source),
    )


def _fix(rule: Rule, source: str) -> str:
    """Return what to run: it depends on where the value comes from."""
    if source in ("database", "user", "database user"):
        whose = {"database": "database NAME", "user": "role NAME"}
        return f"alter {whose.get(source, 'role NAME in database NAME')} reset {rule.setting}"
    if source in ("command line", "environment variable"):
        return f"remove it from the server's {source}, and restart the server"
    then = "restart the server" if rule.restart else "select pg_reload_conf()"
    return f"alter system set {rule.setting} = '{GOOD.get(rule.setting, 'on')}'; {then}"


def _checksums(value: str | None) -> Line:
    if value == "off":
        return Line(
            group=SETTINGS,
            name="data_checksums",
            verdict=ATTENTION,
            text="off: damage on the disk goes unnoticed, into the backups too",
            command=CHECKSUMS,
        )
    return Line(group=SETTINGS, name="data_checksums", verdict=Verdict.OK, text=value or "unknown")


def _encryption(ssl: str | None, listen: str | None) -> Line:
    """Judge what leaves the machine in clear."""
    where = [one.strip() for one in (listen or "").split(",") if one.strip()]
    inside = all(one in ("localhost", "::1") or one.startswith("127.") for one in where)
    if ssl == "off" and not inside:
        return Line(
            group=SETTINGS,
            name="ssl",
            verdict=ATTENTION,
            text=f"off, and the server listens on {', '.join(where)}: all is sent in clear",
            command="alter system set ssl = 'on' (with server.crt and server.key)",
        )
    reach = f"listens on {', '.join(where)}" if where else "listens on its socket alone"
    return Line(group=SETTINGS, name="ssl", verdict=Verdict.OK, text=f"{ssl or 'unknown'}, {reach}")
