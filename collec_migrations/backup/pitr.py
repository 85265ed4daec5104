"""Point-in-time recovery is left to programs made for it: what to write into their files."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from collec_migrations.errors import UsageError
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions, programs
from collec_migrations.postgres.conninfo import Address

SOCKETS = "/var/run/postgresql"
"""Where Debian's libpq, which pgBackRest uses, looks for a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What decides about the configuration."""

    major: int
    settings: Mapping[str, str]
    """Those that this role may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to write and run, and what is wrong as it is."""

    text: str
    problems: tuple[str, ...]


def debian(server: Server) -> Advice:
    """Return what Debian's own postgresql-common needs."""
    where = re.fullmatch(r"/etc/postgresql/(.+?)/(.+?)/.*", server.settings.get("config_file", ""))
    name = f"{where[1]}-{where[2]}" if where else f"{server.major}-main"
    problem = "this server is not one of Debian's clusters (/etc/postgresql/VERSION/NAME)"
    version_, _, cluster = name.partition("-")
    text = f"""\
# WAL as it is written, and a base backup every week, in /var/backups/postgresql/{name}
systemctl enable --now pg_receivewal@{name}.service pg_basebackup@{name}.timer
systemctl start pg_basebackup@{name}.service      # the first one now
pg_backupcluster {version_} {cluster} list
# back to a moment, into a new cluster beside this one:
pg_restorecluster {version_} recovered BACKUP --pitr 'YYYY-MM-DD HH:MM:SS'
"""
    return Advice(text=text, problems=() if where else (problem,))


def pgbackrest(server: Server) -> Advice:
    """Return what pgBackRest needs (tried with 2.45)."""
    command = "pgbackrest --stanza=collec archive-push %p"
    problems = []
    if server.settings.get("archive_mode") not in ("on", "always"):
        problems.append("archive_mode must be on (then restart the server)")
    if not re.search(r"pgbackrest\b.* archive-push %p", server.settings.get("archive_command", "")):
        problems.append(f"archive_command must be '{command}' (then reload the server)")
    sockets = server.settings.get("unix_socket_directories", SOCKETS).partition(",")[0]
    elsewhere = f"\npg1-socket-path={sockets}" if sockets != SOCKETS else ""
    moment = "--type=time --target='YYYY-MM-DD HH:MM:SS' --target-action=promote"
    back = f"pgbackrest --stanza=collec --delta {moment} restore"
    text = f"""\
# /etc/pgbackrest.conf, owner postgres, mode 0640
[global]
repo1-path=/var/lib/pgbackrest
repo1-retention-full=2
compress-type=zst
start-fast=y
process-max=2
[collec]
pg1-path={server.settings.get("data_directory", "DATA_DIRECTORY")}
pg1-port={server.settings.get("port", "5432")}{elsewhere}
# then, as postgres:
pgbackrest --stanza=collec stanza-create
pgbackrest --stanza=collec check
pgbackrest --stanza=collec --type=full backup
pgbackrest --stanza=collec info
# back to a moment, with the server stopped; start it again afterwards:
{back}
"""
    return Advice(text=text, problems=tuple(problems))


def barman(server: Server) -> Advice:
    """Return what Barman needs (tried with 3.4)."""
    port = server.settings.get("port", "5432")
    text = f"""\
# once on SERVER, by psql as a superuser; then \\password for both, and let them in by pg_hba.conf:
# streaming_barman into the database "replication", barman into postgres
create role streaming_barman login replication;
{_barman_role(server.major)}
# /etc/barman.d/collec.conf on the backup host; passwords in ~barman/.pgpass (mode 0600)
[collec]
description = Collec-Science
conninfo = host=SERVER port={port} user=barman dbname=postgres
streaming_conninfo = host=SERVER port={port} user=streaming_barman
backup_method = postgres
immediate_checkpoint = true
streaming_archiver = on
slot_name = barman
create_slot = auto
retention_policy = RECOVERY WINDOW OF 14 DAYS
last_backup_maximum_age = 1 DAY
# then, as barman; the slot is made by cron, and nothing passes the check before the first WAL file
barman cron
barman switch-wal --archive collec
barman backup --wait collec
barman check collec
# back to a moment, from a backup that ended before it, into an empty FOLDER:
barman list-backup collec
barman recover --target-time 'YYYY-MM-DD HH:MM:SS' --target-action promote collec BACKUP FOLDER
"""
    return Advice(text=text, problems=())


def _barman_role(major: int) -> str:
    """Return the statements that make the role for `conninfo`, with as little as Barman takes."""
    if pg_versions.text("fn_backup_start", str(major)) != "pg_backup_start":
        return "create role barman login superuser;"
    return """create role barman login;
grant pg_monitor to barman;
grant execute on function pg_switch_wal(), pg_create_restore_point(text),
    pg_backup_start(text, boolean), pg_backup_stop(boolean) to barman;"""


PROGRAMS: Mapping[str, str] = {
    "debian": "pg_backupcluster",
    "pgbackrest": "pgbackrest",
    "barman": "barman",
}
"""In the order of preference: the first needs nothing that Debian's PostgreSQL has not."""
ASKED: Mapping[str, str] = {"pgbackrest": "version"}
"""How a tool is asked for its version, where `--version` is not known (pgBackRest before 2.50)."""
Version = tuple[int, ...]
SINCE: Mapping[str, Mapping[int, Version]] = {
    "pgbackrest": {16: (2, 46), 17: (2, 53, 1), 18: (2, 55)},
    "barman": {17: (3, 15), 18: (3, 15)},
}
"""The first version of a tool that knows a major of PostgreSQL."""
SHOWN = (
    "wal_level",
    "max_wal_senders",
    "archive_mode",
    "archive_command",
    "data_directory",
    "config_file",
    "port",
    "unix_socket_directories",
)


def read_server(address: Address) -> Server:
    """Return what a running server says of itself."""
    with closing(database.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select name, coalesce(setting, '') from pg_settings where name = any (%s)",
            (list(SHOWN),),
        )
        return Server(major=connection.server_version // 10000, settings=dict(cursor.fetchall()))


def find_tool(wanted: str | None) -> str:
    """Return the tool that was asked for, or the first that is on this machine."""
    if wanted is not None and wanted not in PROGRAMS:
        raise UsageError(f"{wanted!r} is not known", hint=f"Known: {', '.join(PROGRAMS)}.")
    for tool, program in PROGRAMS.items():
        if wanted in (None, tool) and shutil.which(program):
            return tool
    raise UsageError(
        "neither " + " nor ".join(PROGRAMS.values()) + " is installed"
        if wanted is None
        else f"{PROGRAMS[wanted]} is not installed",
        hint="On Debian, postgresql-common brings pg_backupcluster.",
    )


def version(tool: str) -> Version:
    """Return the version of a tool; nothing when it does not tell."""
    command = (PROGRAMS[tool], ASKED.get(tool, "--version"))
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=programs.without_secrets()
    )
    numbers = re.search(r"\d+(\.\d+)+", done.stdout)
    return tuple(int(number) for number in numbers[0].split(".")) if numbers else ()


def advise(tool: str, server: Server, its: Version) -> Advice:
    """Return the configuration for a server, checked against what it says of itself."""
    writers: Mapping[str, Callable[[Server], Advice]] = {
        "debian": debian,
        "pgbackrest": pgbackrest,
        "barman": barman,
    }
    advice = writers[tool](server)
    problems = (*_common(server), *_too_old(tool, server.major, its), *advice.problems)
    return Advice(text=advice.text, problems=problems)


def _common(server: Server) -> Iterator[str]:
    if server.settings.get("wal_level") not in ("replica", "logical", "hot_standby", "archive"):
        yield "wal_level must be replica (then restart the server)"
    if int(server.settings.get("max_wal_senders", "0")) < 2:
        yield "max_wal_senders must be 2 or more (then restart the server)"


def _too_old(tool: str, major: int, its: Version) -> Iterator[str]:
    since = SINCE.get(tool, {}).get(major)
    if since and its and its < since:
        needed = ".".join(map(str, since))
        yield f"{tool} {'.'.join(map(str, its))} does not know PostgreSQL {major}: take {needed}"


def advise_recovery(address: Address, wanted: str | None) -> Advice:
    """Return the configuration of a program for point-in-time recovery of a running server."""
    tool = find_tool(wanted)
    return advise(tool, read_server(address), version(tool))
