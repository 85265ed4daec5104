"""Point-in-time recovery is left to programs made for it: what to write into their files."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from collec_migrations.backup import pitr_texts
from collec_migrations.backup.pitr_texts import Advice, Server
from collec_migrations.errors import UsageError
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.conninfo import Address

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


def read(address: Address) -> Server:
    """Return what a running server says of itself."""
    with closing(database.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select name, coalesce(setting, '') from pg_settings where name = any (%s)",
            (list(SHOWN),),
        )
        return Server(major=connection.server_version // 10000, settings=dict(cursor.fetchall()))


def found(wanted: str | None) -> str:
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
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    numbers = re.search(r"\d+(\.\d+)+", done.stdout)
    return tuple(int(number) for number in numbers[0].split(".")) if numbers else ()


def advise(tool: str, server: Server, its: Version) -> Advice:
    """Return the configuration for a server, checked against what it says of itself."""
    writers: Mapping[str, Callable[[Server], Advice]] = {
        "debian": pitr_texts.debian,
        "pgbackrest": pitr_texts.pgbackrest,
        "barman": pitr_texts.barman,
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
