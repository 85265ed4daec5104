"""Where a reading command works: the one place that joins options, environment and files."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn

from collec_migrations import settings
from collec_migrations.bridge import detection
from collec_migrations.cli import options
from collec_migrations.errors import UsageError
from collec_migrations.install import application
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
    options: str = ""
    """What to repeat of the options in the next command; never a password."""


def find(*, url: str | None, gacl: str | None, col: str | None, app: Path | None) -> Place:
    """Return the place that the options, the environment and the application's files give."""
    given = options.given(url=url, gacl=gacl, col=col)
    told = access.told(given)
    installation = application.read(app, os.environ) if app else application.Installation()
    return Place(
        address=told.address or _address_of(installation) or access.address(told, say=options.say),
        pairs=_pairs(given, os.environ, told, installation),
        expected=installation.expected,
        role=installation.login,
        options=_repeated(url, app),
    )


def as_options(place: Place) -> dict[str, str]:
    """Return a place as `alembic -x` would name it, for runs that settle the rest themselves."""
    found = {"url": place.address.dsn}
    if place.pairs:
        quoted = (names.col.replace('"', '""') for names in place.pairs)
        found["gacl"] = place.pairs[0].gacl
        found["col"] = ",".join(f'"{name}"' for name in quoted)
    return found


@contextmanager
def opened(place: Place) -> Iterator[connection.Connection]:
    """Give a connection that is rolled back and closed at the end, unless it was committed."""
    session = connection.connect(place.address)
    try:
        yield session
    finally:
        session.close()


def pairs_in(session: connection.Connection, place: Place) -> tuple[Names, ...]:
    """Return the pairs that were named, else those that are found by structure."""
    if place.pairs:
        return place.pairs
    found = detection.find(session)
    if found.unpaired:
        raise UsageError(
            f"it cannot be told which rights schema belongs to {found.unpaired[0]!r}",
            hint="Name it with --gacl and --col.",
        )
    alone = tuple(Names(gacl=gacl, col=Names().col) for gacl in found.lone_gacl
                  if gacl != Names().col)  # fmt: skip
    return found.pairs or alone or (Names(),)


def _address_of(installation: application.Installation) -> conninfo.Address | None:
    if not installation.parameters:
        return None
    return conninfo.Address(str(make_dsn(**installation.parameters)))


def _pairs(
    given: Mapping[str, str],
    environment: Mapping[str, str],
    told: settings.Settings,
    installation: application.Installation,
) -> tuple[Names, ...]:
    """Return the pairs that were named by options, environment or files, in this order."""
    variables = ("COLLEC_GACL_SCHEMA", "COLLEC_COL_SCHEMA")
    in_ini = {"collec.gacl", "collec.col"} & access.ini_values(access.INI).keys()
    if {"gacl", "col"} & given.keys() or in_ini or any(name in environment for name in variables):
        return told.pairs
    if installation.gacl and installation.col:
        return tuple(Names.parse(gacl=installation.gacl, col=col) for col in installation.col[:1])
    return ()


def _repeated(url: str | None, app: Path | None) -> str:
    """Return the options that say where the database is, as they are to be typed again."""
    words = ["--url", conninfo.parse(url, source="--url").shown] if url else []
    return shlex.join(words + (["--app", str(app)] if app else []))
