"""What Alembic's env.py does: read the settings, then run online or write a script."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser, InterpolationError
from contextlib import contextmanager, nullcontext, suppress
from logging.config import fileConfig
from pathlib import Path
from typing import Any

import psycopg2
from alembic import context
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from collec_migrations import settings, trust, versions
from collec_migrations.errors import (
    ChainBroken,
    ConnectionLost,
    Interrupted,
    MigrationError,
    StatementFailed,
    UsageError,
)
from collec_migrations.migrate import access, chain
from collec_migrations.migrate.access import LOCATION
from collec_migrations.migrate.job import Job
from collec_migrations.postgres import signals

DEBUG = "COLLEC_DEBUG"
SITE = "collec-versions"
"""The folder of a site's own versions, which need not be there."""


def run() -> None:
    """Run the command that Alembic was given; errors reach Alembic as its own `CommandError`."""
    # The instance behind the proxy: `context` shows neither the command nor the raw target.
    environment: EnvironmentContext = context._proxy  # type: ignore[attr-defined]
    try:
        _run(environment)
    except BrokenPipeError:
        # Whoever read our output has had enough, as `| head` has: nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MigrationError as error:
        if os.environ.get(DEBUG):
            raise
        raise CommandError(described(signals.explained(error))) from error


def described(error: MigrationError) -> str:
    """Return an error as it is shown: what is the matter, then what to do."""
    return f"{error}\nhint: {error.hint}" if error.hint else str(error)


def _run(environment: EnvironmentContext) -> None:
    config = environment.config
    _configure_logging(config)
    _check_chain(environment)
    job = Job.of(environment, read_settings(config))
    for version in job.targets:
        chain.check_version(version, job.versions)
    if environment.is_offline_mode():
        from collec_migrations.migrate import offline

        offline.write(environment, job)
        return
    lent = config.attributes.get("connection") is not None
    try:
        # A program that lends its connection handles its signals itself.
        with nullcontext() if lent else signals.raised():
            _run_online(environment, job)
    except (StatementFailed, ConnectionLost, Interrupted) as error:
        raise (error.ended(job.outcome) if job.changes else error) from error


def _check_chain(environment: EnvironmentContext) -> None:
    """Raise `ChainBroken` for a chain that lacks versions: Alembic says nothing, or KeyError."""
    folders = environment.config.get_version_locations_list() or []
    missing = [one for one in folders if not Path(one).is_dir() and Path(one).name != SITE]
    try:
        # A hole is a warning, then a KeyError.
        with warnings.catch_warnings(action="ignore"):
            found = tuple(environment.script.walk_revisions())
    except (KeyError, RevisionError) as error:
        raise ChainBroken(
            f"the chain of versions has a hole: {error} is not there",
            hint=f"version_locations of alembic.ini names {', '.join(folders)};"
            " `collec-migrations init` in an empty folder writes one that is complete.",
        ) from error
    if missing or not found:
        raise ChainBroken(
            f"there is no folder {missing[0]}" if missing else "there are no versions",
            hint="Correct version_locations in alembic.ini; `collec-migrations init` in an empty"
            " folder writes one that is complete.",
        )


def _run_online(environment: EnvironmentContext, job: Job) -> None:
    from collec_migrations.migrate import online

    try:
        online.run(environment, job)
    except DBAPIError as error:
        raise _translated(error.orig, lost=error.connection_invalidated) from error
    except psycopg2.Error as error:
        raise _translated(error, lost=isinstance(error, psycopg2.InterfaceError)) from error


def read_settings(config: Config) -> settings.Settings:
    """Return the settings that options, environment and ini file tell."""
    typed = "-x url" if config.cmd_opts is not None else "--url"
    return access.settled(options(config), _ini(config), typed=typed)


def options(config: Config) -> dict[str, str]:
    """Return what `-x name=value` gave, or a caller's `Config.attributes["collec"]`."""
    given: dict[str, str] = dict(config.attributes.get("collec", {}))
    for argument in getattr(config.cmd_opts, "x", None) or ():
        name, separator, value = argument.partition("=")
        if not separator:
            raise UsageError(f"-x {name} has no value", hint="Write it as -x name=value.")
        given[name] = value
    return given


def _ini(config: Config) -> Mapping[str, str]:
    """Return the main section of alembic.ini; a lone % there is taken as it is."""
    found = {}
    for key in settings.INI_KEYS:
        try:
            value = config.get_main_option(key)
        except InterpolationError:
            value = config.file_config.get(config.config_ini_section, key, raw=True)
        if value:
            found[key] = value
    return found


def _configure_logging(config: Config) -> None:
    """Let Alembic say what it runs, unless a host application set up its own logging."""
    name = config.config_file_name
    if name and config.cmd_opts is not None and config.file_config.has_section("loggers"):
        fileConfig(name, disable_existing_loggers=False)


def _translated(error: Any, *, lost: bool) -> MigrationError:
    if isinstance(error, psycopg2.Error):
        from collec_migrations.migrate import sending

        return sending.translate(error, lost=lost)
    return MigrationError(str(error))


def alembic_config(options: Mapping[str, str], *, say: Callable[[str], None]) -> Config:
    """Return the configuration of alembic.ini in this folder if it is ours, else the built-in.

    `options` are what `alembic -x name=value` takes; `say` gets what is told beside results.
    """
    config = _own_ini(Path("alembic.ini")) or _built_in()
    _add_site_folder(config)
    config.attributes["collec"] = dict(options)
    config.attributes["say"] = say
    return config


@contextmanager
def errors_unwrapped() -> Iterator[None]:
    """Raise what env.py reported through Alembic as the `MigrationError` that it was."""
    try:
        yield
    except CommandError as error:
        if isinstance(error.__cause__, MigrationError):
            raise error.__cause__ from None
        raise MigrationError(str(error)) from error


def _own_ini(path: Path) -> Config | None:
    if not path.is_file():
        return None
    trust.check(path)
    config = Config(str(path))
    parser = ConfigParser({"here": path.absolute().parent.as_posix()})
    with suppress(UnicodeDecodeError):  # then as Alembic reads it, in the locale's encoding
        parser.read(path, encoding="utf-8-sig")  # Alembic takes a byte order mark for a word
        vars(config)["file_config"] = parser
    return config if config.get_main_option("script_location") == LOCATION else None


def _add_site_folder(config: Config) -> None:
    """Let Alembic read the wrapped versions of the current folder beside those it reads already."""
    site = versions.site_folder().resolve()
    if not site.is_dir():
        return
    trust.check(site)  # Alembic runs every Python file in it
    folders = config.get_version_locations_list() or [str(versions.versions_folder())]
    if site not in [Path(folder).resolve() for folder in folders]:
        listed = "\n".join((*folders, str(site))).replace("%", "%%")
        config.set_main_option("version_locations", listed)
        config.set_main_option("path_separator", "newline")


def _built_in() -> Config:
    config = Config()
    config.set_main_option("script_location", LOCATION)
    config.set_main_option("version_locations", str(versions.versions_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config
