"""Where a command finds its database when it does not go through Alembic, which is slow to load."""

import os
from collections.abc import Callable, Mapping
from configparser import Error, RawConfigParser
from pathlib import Path

from collec_migrations import settings, trust
from collec_migrations.errors import ConnectionFailed, UsageError
from collec_migrations.postgres import embedded
from collec_migrations.postgres.conninfo import Address

INI = Path("alembic.ini")
SECTION = "alembic"


def told(options: Mapping[str, str]) -> settings.Settings:
    """Return what options, environment and the current folder's alembic.ini tell."""
    return settings.resolve(options=options, environment=os.environ, ini=ini_values(INI))


def ini_values(path: Path) -> dict[str, str]:
    """Return our keys in the main section of an ini file; none when there is no file.

    `%%` is read as Alembic reads it, `%`. Raises `UsageError` for a file that is not an ini file.
    """
    trust.check(path)
    parser = RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as an ini file") from error
    if not parser.has_section(SECTION):
        return {}
    return {
        key: parser.get(SECTION, key).replace("%%", "%")
        for key in settings.INI_KEYS
        if parser.has_option(SECTION, key)
    }


def address(told: settings.Settings, *, say: Callable[[str], None]) -> Address:
    """Return where the database is; the embedded server of this folder is started, never made."""
    if told.address is not None:
        return told.address
    if embedded.find(Path.cwd()) is None:
        raise ConnectionFailed(
            "no database is named, and this folder has no server of its own",
            hint="Give --url, set COLLEC_DATABASE_URL or libpq's PGHOST, PGDATABASE ...",
        )
    return made(say=say)


def made(*, say: Callable[[str], None]) -> Address:
    """Return the address of this folder's embedded server, which is made and started if needed."""
    return Address(embedded.ensure_running(Path.cwd(), say=say).dsn)
