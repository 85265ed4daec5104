"""`make facts`: write the catalog of every version of the chain, as the chain makes it.

Catalogs of versions that the chain does not reach were measured elsewhere, and stay as they are.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from collec_migrations import versions, wrap
from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.catalog import Catalog
from collec_migrations.migrate import verbs
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, conninfo, scratch
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.throwaway import throwaway

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
    if not stale:
        sys.stdout.write("every catalog is as the chain makes it\n")
    return 1 if check and stale else 0


def stale_in(folder: Path) -> Mapping[Path, Catalog]:
    """Return the files that hold other facts than the chain makes, each with the right ones."""
    with throwaway(binaries.embedded(), folder=scratch.quick(), settings=scratch.QUICK) as server:
        made = {folder / f"{version}.json": found for version, found in catalogs(server.dsn)}
    return {
        path: found
        for path, found in made.items()
        if not path.exists() or Catalog.from_json(path.read_text("utf-8")) != found
    }


def catalogs(dsn: str) -> Iterator[tuple[str, Catalog]]:
    """Take an empty database from version to version; yield each with its catalog."""
    for one in wrap.ordered(wrap.read_revisions(versions.versions_folder())):
        verbs.upgrade({"url": dsn, "gacl": "gacl", "col": "col"}, one.version, say=_silent)
        with closing(database.connect(conninfo.Address(dsn))) as connection:
            yield one.version, read_catalog(connection, Names())


def _silent(_: str) -> None:
    """Say nothing."""


if __name__ == "__main__":
    sys.exit(main())
