"""What makes a data folder a standby of a primary, on each major from 9.4 to 18.

Up to 11 it is `recovery.conf`; from 12 the file `standby.signal` and settings, which we write to
`postgresql.auto.conf`: it is always in the data folder, also where Debian keeps the others in
/etc, and it is read last. We do not use what `pg_basebackup -R` writes: keywords of its own
version and of its environment (facts 1.2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import ReplicationRefused
from collec_migrations.postgres import account, pg_versions
from collec_migrations.replica import owned

NAMED_SINCE_12 = re.compile(r"\s*(primary_conninfo|primary_slot_name|recovery_target\w*)\b", re.I)
NAMED_UNTIL_11 = re.compile(rf"{NAMED_SINCE_12.pattern}|\s*standby_mode\b", re.I)
"""What we decide: a target of recovery that was left over would stop or promote the standby."""
SECURITY = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding")
"""Keywords of an address that a standby needs as well."""
CHANNEL_BINDING_SINCE = "13"
AUTO = "postgresql.auto.conf"
NO_TARGET = {
    **dict.fromkeys(
        (f"recovery_target{end}" for end in ("", "_lsn", "_name", "_time", "_xid")), ""
    ),
    "recovery_target_timeline": "latest",
}
"""A primary that was once recovered to a moment keeps its target in a file of its own; a standby
that reads it there ends recovery at the next commit: a second primary. Empty is no target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The primary as a standby sees it; there is no password in it."""

    host: str
    port: int
    user: str
    name: str
    """What the standby is called in the primary's pg_stat_replication."""
    slot: str
    passfile: Path
    """Absolute, and readable by the server's account; libpq before 10 takes only ~/.pgpass."""
    security: tuple[tuple[str, str], ...] = ()
    """Some of the keywords SECURITY, with their values."""


def major_of(data: Path) -> str:
    """Return the major that made a data folder; raise ReplicationRefused when there is none."""
    try:
        major = (data / "PG_VERSION").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ReplicationRefused(
            f"{data} is not a data folder of PostgreSQL that we may read",
            hint="Give the folder that `show data_directory` tells, as its owner or as root.",
        ) from error
    if major not in pg_versions.KNOWN:
        raise ReplicationRefused(f"{data} was made by PostgreSQL {major!r}, which is not known")
    return major


def slot_of(name: str) -> str:
    """Return the slot of a standby: lower case letters, digits and `_`, 63 bytes at most."""
    return re.sub(r"[^a-z0-9_]", "_", name.lower())[:58] + "_slot"


def conninfo(major: str, upstream: Upstream) -> str:
    """Return `primary_conninfo` with the keywords that this major's libpq knows."""
    pairs = [
        ("host", upstream.host),
        ("port", str(upstream.port)),
        ("user", upstream.user),
        ("application_name", upstream.name),
    ]
    if pg_versions.holds("conninfo_passfile_keyword", major):
        pairs.append(("passfile", str(upstream.passfile)))
    binding = pg_versions.KNOWN.index(major) >= pg_versions.KNOWN.index(CHANNEL_BINDING_SINCE)
    for keyword, value in upstream.security:
        if keyword != "channel_binding" or binding:
            pairs.append((keyword, value))
    return " ".join(f"{keyword}={_libpq(value)}" for keyword, value in pairs)


def files(major: str, upstream: Upstream, present: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a standby by their names, in the order in which to write them.

    `present` is the text of those that are there: their other settings are kept.
    """
    settings = {
        "primary_conninfo": conninfo(major, upstream),
        "primary_slot_name": upstream.slot,
    }
    marker = pg_versions.text("standby_marker", major) or ""
    where = pg_versions.text("recovery_settings_file", major) or ""
    if marker == where:
        first = {"standby_mode": "on", "recovery_target_timeline": "latest"}
        return {marker: _replaced(present.get(where, ""), NAMED_UNTIL_11, first | settings)}
    # The marker first: between the two writes the folder must not pass for a primary's.
    settings |= NO_TARGET
    return {marker: "", where: _replaced(present.get(where, ""), NAMED_SINCE_12, settings)}


def write_standby(data: Path, upstream: Upstream) -> None:
    """Make a stopped data folder a standby; what else is configured there stays as it is.

    Former settings of ours are replaced. Written as the folder's owner, each file at once. Raises
    ReplicationRefused when it is no data folder, ServerFailed when it cannot be written.
    """
    major = major_of(data)
    owner = account.owner(data.stat().st_uid)
    where = pg_versions.text("recovery_settings_file", major) or ""
    for name, text in files(major, upstream, {where: owned.read(data / where, owner)}).items():
        owned.write(data / name, text, owner)


def write_settings(data: Path, settings: Mapping[str, str]) -> None:
    """Let a stopped server have these settings, whatever its other files say.

    They go to `postgresql.auto.conf`, which is read last. Raises ServerFailed.
    """
    if settings:
        owner = account.owner(data.stat().st_uid)
        named = re.compile(rf"\s*({'|'.join(settings)})\b", re.I)
        text = owned.read(data / AUTO, owner)
        owned.write(data / AUTO, _replaced(text, named, settings), owner)


def quoted(value: str) -> str:
    """Return a value as PostgreSQL's configuration files take it."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _libpq(value: str) -> str:
    if re.fullmatch(r"[\w./:*-]+", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _replaced(text: str, named: re.Pattern[str], settings: Mapping[str, str]) -> str:
    """Return a configuration file without the settings that are `named`, and with these."""
    kept = [line for line in text.splitlines() if not named.match(line)]
    ours = [f"{name} = {quoted(value)}" for name, value in settings.items()]
    return "\n".join([*kept, *ours, ""])
