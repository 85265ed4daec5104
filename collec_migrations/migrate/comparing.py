"""After a wrapped version: what differs from a sound database of that version."""

from collections.abc import Iterator

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import versions
from collec_migrations.bridge import structure, variants
from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.bridge.difference import Severity
from collec_migrations.names import Names
from collec_migrations.versions import Shape

SHOWN = 10
"""Differences told for each version; `verify` tells them all."""


def differences(cursor: Cursor, names: Names, version: str, *, whole: bool) -> tuple[str, ...]:
    """Return what differs, the worst first; nothing for a version that is not known.

    `whole`: the rights schema is at this version too, and not further.
    """
    if version not in versions.VERSIONS:
        return ()
    found = structure.differences(
        expected=versions.upgraded(version),
        observed=read_catalog(cursor.connection, names),
        alternative=versions.catalog(version, Shape.FRESH),
    )
    return tuple(
        f"{one.role}: {one.sentence}{f' ({one.known})' if one.known else ''}"
        for one in variants.explained(version, found)
        if one.severity is not Severity.COSMETIC and (whole or one.role == "col")
    )


def told(version: str, found: tuple[str, ...], *, before: set[str]) -> Iterator[str]:
    """Yield the lines for differences that were not told before, and add them to those."""
    new = [sentence for sentence in found if sentence not in before]
    before.update(new)
    for sentence in new[:SHOWN]:
        yield f"{version} differs from the known {version}: {sentence}"
    if len(new) > SHOWN:
        yield f"{version}: {len(new) - SHOWN} further differences; see `collec-migrations verify`"
