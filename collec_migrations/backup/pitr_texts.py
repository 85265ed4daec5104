"""What the programs for point-in-time recovery want in their files, and what to run. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

SOCKETS = "/var/run/postgresql"
"""Where Debian's libpq, which pgBackRest uses, looks for a server."""
ORDINARY_SINCE = 15
"""The functions that an ordinary role needs have these names from here on."""


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
    if major < ORDINARY_SINCE:
        return "create role barman login superuser;"
    return """create role barman login;
grant pg_monitor to barman;
grant execute on function pg_switch_wal(), pg_create_restore_point(text),
    pg_backup_start(text, boolean), pg_backup_stop(boolean) to barman;"""
