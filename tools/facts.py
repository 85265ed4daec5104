"""`make facts`: write the catalog of every version of the chain, and what its statements lock.

Catalogs of versions that the chain does not reach were measured elsewhere, and stay as they are.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from collec_migrations import catalog, versions
from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.catalog import Catalog
from collec_migrations.migrate import lock_facts, verbs
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, conninfo
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import throwaway as postgres_throwaway
from collec_migrations.postgres.throwaway import throwaway
from tools import locks

CATALOGS = Path(__file__).parent.parent / "collec_migrations" / "data" / "catalogs"


def main() -> int:
    """Write what differs; with --check only tell it, and return 1 when something does."""
    parser = argparse.ArgumentParser(prog="python -m tools.facts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    check = parser.parse_args().check
    stale = stale_in(CATALOGS)
    for path, found in stale.items():
        if not check:
            path.write_text(found.to_json(), encoding="utf-8")
        sys.stdout.write(f"{'stale' if check else 'written'}: {path.name}\n")
    measured = locks.text(locks_now())
    stale_locks = not locks.PATH.exists() or locks.PATH.read_text("utf-8") != measured
    if stale_locks:
        if not check:
            locks.PATH.write_text(measured, encoding="utf-8")
        sys.stdout.write(f"{'stale' if check else 'written'}: {locks.PATH.name}\n")
    if not stale and not stale_locks:
        sys.stdout.write("every catalog and lock is as the chain makes it\n")
    return 1 if check and (stale or stale_locks) else 0


def locks_now() -> dict[str, lock_facts.Script]:
    """Return what the statements of the chain lock, measured on a server of their own."""
    with throwaway(
        binaries.embedded(),
        folder=postgres_throwaway.quick_folder(),
        settings=postgres_throwaway.QUICK,
    ) as server:
        return locks.measured(server.dsn)


def stale_in(folder: Path) -> Mapping[Path, Catalog]:
    """Return the files that hold other facts than the chain makes, each with the right ones."""
    with throwaway(
        binaries.embedded(),
        folder=postgres_throwaway.quick_folder(),
        settings=postgres_throwaway.QUICK,
    ) as server:
        made = {folder / f"{version}.json": found for version, found in catalogs(server.dsn)}
    return {
        path: found
        for path, found in made.items()
        if not path.exists() or Catalog.from_json(path.read_text("utf-8")) != found
    }


def catalogs(dsn: str) -> Iterator[tuple[str, Catalog]]:
    """Take an empty database from version to version; yield each with its catalog."""
    options = {"url": dsn, "gacl": "gacl", "col": "col", "without_postgis": "yes"}
    for version in sorted(versions.revisions(), key=versions.order):
        verbs.upgrade(options, version, say=_silent)
        with closing(database.connect(conninfo.Address(dsn))) as connection:
            yield version, _as_stored(version, read_catalog(connection, Names()))


def _as_stored(version: str, found: Catalog) -> Catalog:
    """Return the stored catalog where it differs only in what depends on the server.

    That is the home of gen_random_uuid(), and what PostGIS makes, which this program's server
    lacks: a new version has it as the version before.
    """
    path = CATALOGS / f"{version}.json"
    if path.exists():
        stored = Catalog.from_json(path.read_text("utf-8"))
        if catalog.portable(stored) == catalog.portable(found):
            return stored
    before = CATALOGS / f"{versions.declared(version).down_revision}.json"
    known = Catalog.from_json(before.read_text("utf-8")).facts if before.exists() else ()
    return Catalog(found.facts | {one for one in known if one.name in catalog.GEOGRAPHY})


def _silent(_: str) -> None:
    """Say nothing."""


if __name__ == "__main__":
    sys.exit(main())
