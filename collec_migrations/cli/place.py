"""Which database and schemas a command is about, and a connection to it."""

import os
import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations import application, bridge, settings
from collec_migrations.cli import options
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.migrate import access
from collec_migrations.names import Names
from collec_migrations.postgres import connection, conninfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to connect, which schemas were named, and what the application says."""

    address: conninfo.Address
    pairs: tuple[Names, ...]
    """Empty: find them by their structure."""
    expected: str = ""
    role: str = ""
    """The application's account, when its files name it."""
    not_valid: bool = False
    """Foreign keys that rows forbid are added without a check."""
    options: str = ""
    """What to repeat of the options in the next command; never a password."""


def find(*, url: str | None, gacl: str | None, col: str | None, app: Path | None) -> Place:
    """Return the place that the options, the application's files and the environment give."""
    found = access.read_settings(options.given(url=url, gacl=gacl, col=col, app=app))
    said = found.application or application.Installation()
    return Place(
        address=access.address(found, say=options.say),
        pairs=found.pairs if found.named else (),
        not_valid=found.not_valid,
        expected=said.expected,
        role=said.login,
        options=repeated(url, app),
    )


@contextmanager
def opened(place: Place, *, read_only: bool = False) -> Iterator[connection.Connection]:
    """Give a connection that is rolled back and closed at the end, unless it was committed."""
    session = connection.connect(place.address, read_only=read_only)
    try:
        yield session
    except psycopg2.Error as error:
        from collec_migrations.migrate import sending

        raise sending.translate(error, lost=bool(session.closed)) from error
    finally:
        session.close()


def pairs_in(session: connection.Connection, place: Place) -> tuple[Names, ...]:
    """Return the pairs that were named, else those that are found by structure."""
    return place.pairs or pairs_of(bridge.find(session))


def pairs_of(found: "bridge.Pairing") -> tuple[Names, ...]:
    """Return the pairs that were found; raise `UsageError` where one has to be named."""
    if found.unpaired:
        raise UsageError(
            f"it cannot be told which rights schema belongs to {found.unpaired[0]!r}",
            hint="Name it with --gacl and --col.",
        )
    alone = tuple(Names(gacl=gacl, col=Names().col) for gacl in found.lone_gacl
                  if gacl != Names().col)  # fmt: skip
    return found.pairs or alone or (Names(),)


def repeated(url: str | None, app: Path | None) -> str:
    """Return the options that say where the database is, as they are to be typed again."""
    words = ["--url", conninfo.parse(url, source="--url").shown] if url else []
    return shlex.join(words + (["--app", str(app)] if app else []))


def administrator(found: settings.Settings, url: str | None) -> connection.Administrator:
    """Return how a superuser comes in: by --url, else to the server of the application's database.

    The application's own account is none. Its server is taken by the socket where it is this
    machine's, as `postgres`.
    """
    where = url or os.environ.get("COLLEC_DATABASE_URL")
    if found.application is None or where:
        parsed = conninfo.parse(where, source="--url") if where else found.address
        return connection.administrator(parsed)
    said = found.application.connection
    there = parse_dsn(connection.administrator(None).address.dsn)
    there |= {"port": said["port"]} if said.get("port") else {}
    if said.get("host", "localhost") not in ("", "localhost", "127.0.0.1", "::1"):
        there["host"] = said["host"]
    return connection.administrator(conninfo.Address(str(make_dsn(**there))))


@contextmanager
def connected(found: settings.Settings) -> Iterator[connection.Connection]:
    """Give a connection that is closed at the end: what was not committed is rolled back."""
    address = access.address(found, say=options.say)
    with closing(connection.connect(address)) as session:
        try:
            yield session
        except connection.Error as error:
            raise MigrationError(
                connection.first_line(error),
                hint="Run as the owner of the schemas, or as a superuser.",
            ) from error
