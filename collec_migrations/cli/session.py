"""A connection for commands that only need the database: no Alembic, which is slow to import."""

import os
from collections.abc import Iterator, Mapping
from configparser import Error, RawConfigParser
from contextlib import closing, contextmanager
from pathlib import Path

import typer

from collec_migrations import settings
from collec_migrations.database import connection
from collec_migrations.errors import MigrationError
from collec_migrations.server import reach

INI = Path("alembic.ini")


def told(options: Mapping[str, str]) -> settings.Settings:
    """Return the settings that options, environment and the alembic.ini of this folder tell."""
    return settings.resolve(options=options, environment=os.environ, ini=_ini(INI))


@contextmanager
def connected(told: settings.Settings) -> Iterator[connection.Connection]:
    """Give a connection that is closed at the end: what was not committed is rolled back."""
    address = reach.address(told, say=say)
    with closing(connection.connect(address)) as session:
        try:
            yield session
        except connection.Error as error:
            raise MigrationError(
                connection.first_line(error),
                hint="Run as the owner of the schemas, or as a superuser.",
            ) from error


def say(message: str) -> None:
    """Tell something beside the results."""
    typer.echo(message, err=True)


def _ini(path: Path) -> Mapping[str, str]:
    """Return the main section of an ini file, a % taken as it is; nothing when there is none."""
    parser = RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (Error, UnicodeDecodeError):
        return {}
    return dict(parser["alembic"]) if parser.has_section("alembic") else {}
