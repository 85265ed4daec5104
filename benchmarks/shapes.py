"""Adopt every known shape and bring it to the newest version; count, and measure.

python -m benchmarks.shapes   prints the table of docs/history.md
"""

import sys
from contextlib import closing
from time import process_time

import psycopg2

from collec_migrations import bridge, versions
from collec_migrations.bridge.repair_statements import target
from collec_migrations.catalog import Catalog, Fact, normalised
from collec_migrations.migrate import verbs
from collec_migrations.names import Names
from tests.builders import from_catalog
from tests.servers import Server, running

NAMES = Names()
MOMENT = "2026-01-01 00:00:00"
VERBS = ("detect", "verify", "adopt")


def main() -> None:
    """Try all shapes, and write the table."""
    shapes = [(version, shape) for version in versions.BUILT_IN
              for shape, _ in versions.shapes(version)]  # fmt: skip
    counts = dict.fromkeys(("recognised", "adopted", "at head", "verify silent"), 0)
    seconds: dict[str, list[float]] = {verb: [] for verb in VERBS}
    catalogs = set()
    lines: list[str] = []
    with running(18) as server:
        for version, shape in shapes:
            done, catalog = _try(server, version, shape, seconds)
            for name in done:
                counts[name] += 1
            if done != list(counts):
                lines.append(f"{version} {shape}: {', '.join(done)} only")
            catalogs.add(catalog)
    figures = [len(shapes), *counts.values(), len(catalogs)]
    lines += [f"| shapes | {' | '.join(counts)} | distinct catalogs |", "|---" * len(figures) + "|"]
    lines += [f"| {' | '.join(map(str, figures))} |", "", "| | median | most |", "|---|---|---|"]
    for verb, found in seconds.items():
        found.sort()
        lines.append(f"| {verb} | {found[len(found) // 2]:.2f} s | {found[-1]:.2f} s |")
    sys.stdout.write("\n".join(lines) + "\n")


def _try(
    server: Server, version: str, shape: versions.Shape, seconds: dict[str, list[float]]
) -> tuple[list[str], frozenset[Fact]]:
    """Return what succeeded with one shape, and the catalog that it ended as."""
    catalog = versions.catalog(version, shape)
    assert catalog is not None
    done = []
    with server.database() as address:
        with closing(psycopg2.connect(address.dsn)) as session:
            frozen = catalog.to_json().replace("<moment of installation>", MOMENT)
            from_catalog.build(session, Catalog.from_json(frozen), NAMES)
            _as_installers_fill(session, version)
            session.commit()
            begun = process_time()
            seen = bridge.detect(session, NAMES)
            seconds["detect"].append(process_time() - begun)
            if version in seen.versions:
                done.append("recognised")
            begun = process_time()
            bridge.verify(session, NAMES, version=version)
            seconds["verify"].append(process_time() - begun)
            begun = process_time()
            adopted = bridge.adopt(session, NAMES, version if len(seen.versions) > 1 else None)
            seconds["adopt"].append(process_time() - begun)
            session.commit()
            silent = not [one for one in bridge.verify(session, NAMES).differences
                          if "PostGIS" not in one.known]  # fmt: skip
            if adopted.version == version:
                done.append("adopted")
        verbs.upgrade({"url": address.dsn, "without_postgis": "yes"}, "head", say=lambda _: None)
        with closing(psycopg2.connect(address.dsn)) as session:
            observed = normalised(bridge.read_catalog(session, NAMES))
            if observed == target(versions.BUILT_IN[-1], observed):
                done.append("at head")
            # A column that had PostGIS's type stands for itself: this server has none.
            kept = frozenset(one for one in observed.facts if "geom" not in "".join(one))
            left = [one for one in bridge.verify(session, NAMES).differences
                    if one.severity is not bridge.Severity.COSMETIC]  # fmt: skip
            if silent and not left:
                done.append("verify silent")
    return done, kept


def _as_installers_fill(session: psycopg2.extensions.connection, version: str) -> None:
    """Add the rows by which a version is known, and the rights that steps look for."""
    with session.cursor() as cursor:
        cursor.execute(
            "insert into gacl.aclappli (appli) values ('col');"
            "insert into gacl.aclaco (aclappli_id, aco) select aclappli_id, 'admin'"
            " from gacl.aclappli"
        )
        if versions.is_recorded(version):
            cursor.execute(
                "insert into col.dbversion (dbversion_number, dbversion_date) values (%s, now())",
                (version,),
            )
        if version == "2.1":
            cursor.execute(
                "insert into col.dbparam (dbparam_id, dbparam_name)"
                " values (1, 'APPLI_code'), (2, 'APPLI_title')"
            )


if __name__ == "__main__":
    main()
