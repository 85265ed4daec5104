"""Where a command finds its database: the one place that joins options, files and environment.

It does without Alembic, which is slow to load; `alembic` itself comes here too.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from collec_migrations import settings, trust
from collec_migrations.errors import ConnectionFailed, UsageError
from collec_migrations.postgres.conninfo import Address

INI = Path("alembic.ini")
SECTION = "alembic"
LOCATION = "collec_migrations:migrate/alembic"
"""The `script_location` of an alembic.ini that is ours; another one is another project's."""


def read_settings(options: Mapping[str, str]) -> settings.Settings:
    """Return the settings by options, application, environment and this folder's alembic.ini."""
    return settled(options, ini_values(INI))


def settled(
    options: Mapping[str, str], ini: Mapping[str, str], *, typed: str = "--url"
) -> settings.Settings:
    """Return the settings with the values of an ini file that was read already."""
    folder = options.get("app") or os.environ.get(settings.APP)
    installation = None
    if folder:
        from collec_migrations import application

        installation = application.read(Path(folder), os.environ)
    return settings.resolve(
        options=options,
        environment=os.environ,
        ini=ini,
        application=installation,
        typed=typed,
    )


def of_run(options: Mapping[str, str]) -> settings.Settings:
    """Return the settings of a run, as env.py settles them: another project's ini is not asked."""
    ours = main_section(INI).get("script_location") == LOCATION
    return settled(options, ini_values(INI) if ours else {})


def ini_values(path: Path) -> dict[str, str]:
    """Return our keys in the main section of an ini file; none when there is no file.

    `%%` is read as Alembic reads it, `%`. Raises `UsageError` for a file that is not an ini file.
    """
    found = main_section(path)
    return {key: found[key].replace("%%", "%") for key in settings.INI_KEYS if key in found}


def main_section(path: Path) -> dict[str, str]:
    """Return what stands in the main section of an ini file, as it stands there."""
    trust.check(path)
    if not path.exists():
        return {}
    from configparser import Error, RawConfigParser  # most sites have no such file

    parser = RawConfigParser()
    try:
        parser.read(path, encoding="utf-8-sig")
    except (Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as an ini file") from error
    return dict(parser.items(SECTION)) if parser.has_section(SECTION) else {}


def address(told: settings.Settings, *, say: Callable[[str], None]) -> Address:
    """Return where the database is; the embedded server of this folder is started, never made."""
    if told.address is not None:
        return told.address
    from collec_migrations.postgres import embedded  # few sites have one

    if embedded.find(Path.cwd()) is None:
        raise ConnectionFailed(
            "no database is named, and this folder has no server of its own",
            hint=_advice(),
        )
    return made(say=say)


def _advice() -> str:
    """Return what to do where nothing names a database."""
    from collec_migrations import application

    here = application.installed()
    if len(here) == 1:
        return f"This machine has one application: name it with --app {here[0]}"
    return "Name the application with --app DIR or COLLEC_APP, or the database with --url."


def made(*, say: Callable[[str], None]) -> Address:
    """Return the address of this folder's embedded server, which is made and started if needed."""
    from collec_migrations.postgres import embedded

    return Address(embedded.ensure_running(Path.cwd(), say=say).dsn)
