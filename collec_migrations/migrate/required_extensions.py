"""Extensions that scripts need and a database does not have: told beforehand. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from collec_migrations.postgres.extensions import Extensions


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An extension that a script makes or uses, and where first."""

    name: str
    place: str
    """The file, with the line where it is known."""
    made: bool
    """Whether the script itself makes it there."""
    core_since: int = 0
    """The server's version number from which on the use needs no extension; 0: always does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """An extension that is needed and cannot be had."""

    message: str
    hint: str


def lacking(uses: Iterable[Use], found: Extensions) -> tuple[Lack, ...]:
    """Return what scripts need that is not there and that they do not make, in their order."""
    made: set[str] = set()
    lacks: dict[str, Lack] = {}
    for use in uses:
        if use.name in found.installed or use.name in made or use.name in lacks:
            continue
        if use.core_since and found.version >= use.core_since:
            continue
        if use.made and found.available.get(use.name):
            made.add(use.name)
            continue
        lacks[use.name] = Lack(
            message=f"extension {use.name!r} is needed at {use.place} and {_why(use, found)}",
            hint=_advice(use.name, found),
        )
    return tuple(lacks.values())


def _why(use: Use, found: Extensions) -> str:
    if use.name not in found.available:
        return "the server does not have it"
    if found.available[use.name]:
        return "the database does not have it"
    return "this role may not make it"


def _package(name: str, major: int) -> str:
    """Return the packages in which Debian and the PGDG's RPMs have an extension."""
    if name.startswith("postgis"):
        return f"postgresql-{major}-postgis-3 on Debian and Ubuntu, postgis*_{major} as RPM"
    return f"postgresql-{major} on Debian and Ubuntu, postgresql{major}-contrib as RPM"


def _advice(name: str, found: Extensions) -> str:
    if name not in found.available:
        package = _package(name, found.version // 10000)
        return f"Install the package that has it on the server first: {package}."
    return f"Let a superuser run: create extension {name}; in this database."
