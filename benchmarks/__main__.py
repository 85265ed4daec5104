"""Measure what this tool takes beside psql and pg_dump: results.json and RESULTS.md.

python -m benchmarks [ENTRY ...] [--quick] [--anyway] [--report]

Each entry is measured, and published, by itself. One that ran while the machine was busy with other
work is not: its figures go to unpublished.json, and the exit status is 1.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import entries, measuring, report
from benchmarks.measuring import BUSY, FOLDER, Entry
from collec_migrations.postgres import binaries
from collec_migrations.postgres.throwaway import throwaway


def main(words: Sequence[str]) -> int:
    """Measure, publish, return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("entry", nargs="*", help=f"of {', '.join(entries.ENTRIES)}; else all")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it all work?")
    parser.add_argument("--anyway", action="store_true", help="publish from a busy machine too")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the results go")
    parser.add_argument("--report", action="store_true", help="only write the page anew")
    told = parser.parse_args(words)
    unknown = set(told.entry) - set(entries.ENTRIES)
    if unknown:
        parser.error(f"no entry {', '.join(sorted(unknown))}")
    told.into.mkdir(parents=True, exist_ok=True)
    busy = []
    if told.report:
        publish(told.into)
        return 0
    with (
        throwaway(binaries.embedded(), settings={}, superuser=entries.SUPERUSER) as server,
        entries.Site(server) as site,
    ):
        for name in told.entry or entries.ENTRIES:
            found = measured(name, site, entries.QUICK if told.quick else entries.FULL)
            if found.busy > BUSY and not told.anyway:
                busy.append(name)
                keep(told.into / "unpublished.json", {name: found})
                continue
            keep(told.into / "results.json", {name: found})
            publish(told.into)
    if busy:
        sys.stderr.write(f"not published, the machine was busy with other work: {' '.join(busy)}\n")
    return 1 if busy else 0


def measured(name: str, site: entries.Site, size: entries.Size) -> Entry:
    """Return what an entry finds on a server that writes as a real one does."""
    found = Entry(server=binaries.embedded().version)
    probes = [measuring.probe()]
    began = time.monotonic()
    for row in entries.ENTRIES[name](site, size):
        found.rows.append(row)
        sys.stderr.write(f"{name}: {row.what}, {row.way}: {report.shown(row.wall)} {row.aim}\n")
        probes.append(measuring.probe())
    found.seconds = time.monotonic() - began
    # Our own server has work left now and then: a probe in four may meet it.
    found.busy = sorted(probes)[len(probes) * 3 // 4]
    return found


def keep(path: Path, new: dict[str, Entry]) -> None:
    """Add entries to those of a file."""
    before = measuring.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(measuring.dumps({**before, **new}), encoding="utf-8")


def publish(folder: Path) -> None:
    """Write the page."""
    kept = measuring.loads((folder / "results.json").read_text("utf-8"))
    (folder / "RESULTS.md").write_text(report.page(kept), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
