"""What a standby is, and the files that make a data folder one, on each major from 9.4 on.

Up to 11 it is `recovery.conf`; from 12 the file `standby.signal` and settings, which we write to
`postgresql.auto.conf`: it is always in the data folder, also where Debian keeps the others in
/etc, and it is read last. We do not use what `pg_basebackup -R` writes: keywords of its own
version and of its environment (facts 1.2). Files are read and written as the account that owns
them: root would follow a link that this account laid.
"""

import os
import re
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import PassfileError, ReplicationRefused, ServerFailed, UsageError
from collec_migrations.postgres import (
    connection,
    conninfo,
    files,
    password,
    pg_versions,
    programs,
    quoting,
)
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.programs import Account
from collec_migrations.replica import primary_state

# The text comes to the disk before it gets its name, and so does the name.
WRITE = (
    'cat >"$1.partial" && sync "$1.partial" && mv -f "$1.partial" "$1" && sync "$(dirname "$1")"'
)


def read_owned(path: Path, account: Account) -> str:
    """Return the text of a file; nothing when there is no file, or none that is readable."""
    with suppress(ServerFailed):
        command = ("/bin/sh", "-c", 'cat -- "$1"', "sh", path)
        return programs.run(command, account=account, folder=Path("/"))
    return ""


def write_owned(path: Path, text: str, account: Account) -> None:
    """Write a file at once, readable by its owner alone.

    Raises ServerFailed when it cannot be written; the former one is then as it was.
    """
    command = ("/bin/sh", "-c", WRITE, "sh", path)
    programs.run(command, account=account, folder=Path("/"), text=text)


GUARDED = (
    "max_connections",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "max_worker_processes",
)
GUARDED_LATER = "max_wal_senders"


def guarded_settings(major: str) -> tuple[str, ...]:
    """Return the guarded settings of a major."""
    counted = pg_versions.holds("standby_guards_wal_senders", major)
    return (*GUARDED, GUARDED_LATER) if counted else GUARDED


def raised_settings(primary: Mapping[str, int], standby: Mapping[str, int]) -> dict[str, str]:
    """Return the settings to raise on a standby, with the primary's values."""
    return {name: str(value) for name, value in primary.items() if standby[name] < value}


NAMED_SINCE_12 = re.compile(r"\s*(primary_conninfo|primary_slot_name|recovery_target\w*)\b", re.I)
NAMED_UNTIL_11 = re.compile(rf"{NAMED_SINCE_12.pattern}|\s*standby_mode\b", re.I)
"""What we decide: a target of recovery that was left over would stop or promote the standby."""
SECURITY = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding")
"""Keywords of an address that a standby needs as well."""
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
    if major not in pg_versions.KNOWN and not pg_versions.is_newer(major):
        raise ReplicationRefused(f"{data} was made by PostgreSQL {major!r}, which is not known")
    return major


def slot_of(name: str) -> str:
    """Return the slot of a standby: lower case letters, digits and `_`, 63 bytes at most."""
    return re.sub(r"[^a-z0-9_]", "_", name.lower())[:58] + "_slot"


def primary_conninfo(major: str, upstream: Upstream) -> str:
    """Return `primary_conninfo` with the keywords that this major's libpq knows."""
    pairs = [
        ("host", upstream.host),
        ("port", str(upstream.port)),
        ("user", upstream.user),
        ("application_name", upstream.name),
    ]
    if pg_versions.holds("conninfo_passfile_keyword", major):
        pairs.append(("passfile", str(upstream.passfile)))
    binding = pg_versions.holds("conninfo_channel_binding", major)
    for keyword, value in upstream.security:
        if keyword != "channel_binding" or binding:
            pairs.append((keyword, value))
    return " ".join(f"{keyword}={quoting.libpq_value(value)}" for keyword, value in pairs)


def standby_files(major: str, upstream: Upstream, present: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a standby by their names, in the order in which to write them.

    `present` is the text of those that are there: their other settings are kept.
    """
    settings = {
        "primary_conninfo": primary_conninfo(major, upstream),
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
    owner = programs.account_of(data.stat().st_uid)
    where = pg_versions.text("recovery_settings_file", major) or ""
    for name, text in standby_files(
        major, upstream, {where: read_owned(data / where, owner)}
    ).items():
        write_owned(data / name, text, owner)


def write_settings(data: Path, settings: Mapping[str, str]) -> None:
    """Let a stopped server have these settings, whatever its other files say.

    They go to `postgresql.auto.conf`, which is read last. Raises ServerFailed.
    """
    if settings:
        owner = programs.account_of(data.stat().st_uid)
        named = re.compile(rf"\s*({'|'.join(settings)})\b", re.I)
        text = read_owned(data / AUTO, owner)
        write_owned(data / AUTO, _replaced(text, named, settings), owner)


def _replaced(text: str, named: re.Pattern[str], settings: Mapping[str, str]) -> str:
    """Return a configuration file without the settings that are `named`, and with these."""
    kept = [line for line in text.splitlines() if not named.match(line)]
    ours = [f"{name} = {quoting.configuration_value(value)}" for name, value in settings.items()]
    return "\n".join([*kept, *ours, ""])


KEEPALIVES = {"keepalives_idle": "20", "keepalives_interval": "10", "keepalives_count": "3"}
"""Who only listens would wait two hours for a primary that is gone."""
DATABASE = "postgres"
"""Where questions to the primary are asked; a base backup needs no database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbySpec:
    """A standby that is to be made."""

    host: str
    port: int
    user: str
    security: tuple[tuple[str, str], ...]
    data: Path
    """Absolute, without links."""
    name: str
    passfile: Path | None = None
    """Absolute; None: ~/.pgpass of the account that owns the data."""
    bin_dir: Path | None = None
    own_port: int | None = None
    """The port of the standby, when it is not what the configuration says."""
    own_listen: str | None = None
    replace: bool = False
    """Move a stopped cluster of another system aside, too."""
    patience: float = 120.0
    """Seconds until it has to stream once it was started."""
    silence: float = 600.0
    """Seconds without a byte after which the copy is given up."""

    @property
    def slot(self) -> str:
        """Return the standby's slot on the primary."""
        return slot_of(self.name)

    @property
    def shown(self) -> str:
        """Return the primary, for messages."""
        return f"{self.host}:{self.port}"

    @property
    def partial(self) -> Path:
        """Return where the clone is until it is complete."""
        return self.data.with_name(f"{self.data.name}.partial")

    def upstream(self, passfile: Path) -> Upstream:
        """Return what the standby is told of its primary."""
        return Upstream(
            host=self.host,
            port=self.port,
            user=self.user,
            name=self.name,
            slot=self.slot,
            passfile=passfile,
            security=self.security,
        )

    def address(self, password: str) -> Address:
        """Return the way to the primary's database; it holds the password."""
        pairs = {"host": self.host, "port": str(self.port), "user": self.user}
        # A password of our own: PGPASSWORD would hide that the standby's file is wrong.
        pairs |= {"dbname": DATABASE, "password": password, "connect_timeout": "10"}
        return Address(str(make_dsn(**pairs, **KEEPALIVES, **dict(self.security))))


HOST = re.compile(r"(?P<host>[\w.-]+)(?::(?P<port>\d+))?")


def standby_spec(
    primary: str,
    data: Path,
    *,
    name: str | None,
    passfile: Path | None = None,
    source: str = "PRIMARY",
) -> StandbySpec:
    """Return the standby that these words ask for; raise UsageError for what none can use."""
    if bare := HOST.fullmatch(primary):
        primary = f"host={bare['host']} port={bare['port'] or 5432}"
    address = conninfo.parse(primary, source=source)
    if address.password:
        raise UsageError(
            f"{source} holds a password, which all could read in the list of processes",
            hint="Put it into a password file (mode 0600) and name that with --passfile.",
        )
    parts = {key: str(value) for key, value in parse_dsn(address.dsn).items()}
    host = parts.get("hostaddr") or parts.get("host", "")
    if not host or host.startswith("/") or "," in host:
        raise UsageError(
            f"{source} has to name one host, by which the standby will reach it",
            hint="For example: db1.lab.example, or postgresql://rep@db1.lab.example:5432",
        )
    called = name or socket.gethostname().partition(".")[0]
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,57}", called, re.ASCII):
        raise UsageError(f"--name {called!r} is not letters, digits, `.`, `-` or `_`")
    return StandbySpec(
        host=host,
        port=int(parts.get("port", "5432")),
        user=parts.get("user", primary_state.REP),
        security=tuple((key, parts[key]) for key in SECURITY if key in parts),
        data=data.resolve(),
        name=called,
        passfile=passfile.absolute() if passfile else None,
    )


def passfile_of(spec: StandbySpec, account: Account) -> Path:
    """Return the standby's password file: the one that was named, else the account's own."""
    return spec.passfile or Path(f"~{account.name}/.pgpass").expanduser()


def take_passfile(path: Path, target: Path, account: Account) -> None:
    """Put the lines of a password file above those of the account's own. Raises PassfileError."""
    lines = password.read_passfile(path).splitlines()
    with connection.acting_as("" if account.uid == os.geteuid() else account.name):
        kept = [one for one in password.read_passfile(target).splitlines() if one not in lines]
        try:
            files.write_private(target, "\n".join([*lines, *kept, ""]).encode())
        except OSError as error:
            raise PassfileError(
                f"the password file {target} cannot be written: {error.strerror}",
                hint=f"Copy {path} there by hand, mode 0600, for {account.name}.",
            ) from error


def password_of(spec: StandbySpec, account: Account) -> str:
    """Return the password that the standby will find, read as the server's account.

    Raises UsageError when it would find none: no such file, not readable by that account, readable
    by others (libpq then ignores it), or without a line for this primary.
    """
    path = passfile_of(spec, account)
    if not path.is_file():
        raise UsageError(
            f"the password file {path} is not there", hint=_passfile_hint(path, account, spec)
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UsageError(
            f"others may read the password file {path}: libpq ignores it",
            hint=f"chmod 600 {path}; if others could read it, set the password anew.",
        )
    text = read_owned(path, account)
    if not text and path.stat().st_size:
        raise UsageError(
            f"{account.name}, who runs the server, cannot read the password file {path}",
            hint=f"chown {account.name} {path}, in a folder that this account may enter.",
        )
    found = ""
    for database in (DATABASE, "replication"):
        key = (spec.host, str(spec.port), database, spec.user)
        line = password.lookup_password(text, key)
        if line is None:
            raise UsageError(
                f"the password file {path} has no line for {':'.join(key)}",
                hint=f"Add the line {spec.host}:{spec.port}:*:{spec.user}:PASSWORD",
            )
        found = line
    return found


def _passfile_hint(path: Path, account: Account, spec: StandbySpec) -> str:
    who = "" if account.uid == os.geteuid() else f"-o {account.name} "
    return (
        "`replica primary` made one on the primary: copy it here, then"
        f" install {who}-m 600 COPY {path}. Its line: {spec.host}:{spec.port}:*:{spec.user}:..."
    )
