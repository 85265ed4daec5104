"""All benchmarks in one run: results.json, RESULTS.md and results.svg beside this file.

python -m benchmarks [--sizes 10000,100000] [--quick] [--only install,upgrade] [--report]
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks import (
    backup,
    failover,
    locks,
    peers,
    picture,
    reading,
    report,
    standby,
    upgrade,
    wrapping,
)
from benchmarks.measuring import FOLDER, Measurement, Results, Table
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.throwaway import throwaway

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
QUICK = (10_000,)
GROUPS = (
    "install",
    "upgrade",
    "read",
    "views",
    "backup",
    "documents",
    "wrapping",
    "locks",
    "standby",
)
LARGEST_BACKUP = 1_000_000
"""Movements up to which backups, clones and locks are measured: beyond, the disk is."""
DOCUMENTS, QUICK_DOCUMENTS = 50, 5
BUSY = 1.0
"""Load average from which on figures say more of the machine's other work than of ours."""
STANDBY, QUICK_STANDBY = 1000, 20
"""Megabytes."""


def main(words: Sequence[str]) -> None:
    """Measure, and write what was found."""
    told = _told(words)
    if told.report:
        write(Results.from_json((told.into / "results.json").read_text("utf-8")), told.into)
        return
    told.into.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    started = time.monotonic()
    results = Results(
        command=" ".join(("python -m benchmarks", *words)),
        server=binaries.embedded().version,
        peers=peers.versions(),
    )
    try:
        for one in found(told):
            _keep(one, results)
    except KeyboardInterrupt:
        sys.stderr.write("stopped: what was measured is kept\n")
    finally:
        results.seconds = time.monotonic() - started
        publish(results, told.into, load=load)


def _keep(one: Measurement | Table, results: Results) -> None:
    if isinstance(one, Table):
        results.tables.append(one)
        return
    results.measurements.append(one)
    what = report.named(one.what, one.movements)
    sys.stderr.write(f"{what}, {one.way}: {report.shown(one.seconds)}\n")


def publish(results: Results, folder: Path, *, load: float) -> None:
    """Write the page, unless the machine was busy when the run began: then the figures alone."""
    if load <= BUSY:
        write(results, folder)
        return
    (folder / "unpublished.json").write_text(results.to_json(), encoding="utf-8")
    sys.stderr.write(f"not published: the machine was busy (load average {load:.1f} at start)\n")


def write(results: Results, folder: Path) -> None:
    """Write figures, page and picture."""
    (folder / "results.json").write_text(results.to_json(), encoding="utf-8")
    (folder / "RESULTS.md").write_text(report.page(results), encoding="utf-8")
    try:
        picture.draw(results, folder / "results.svg")
    except ImportError:
        sys.stderr.write("no picture: pip install --group bench brings matplotlib\n")


def found(told: argparse.Namespace) -> Iterator[Measurement | Table]:
    """Yield all that was asked for."""
    with throwaway(binaries.embedded(), settings={}) as server:
        single: dict[str, Callable[[Address], Iterable[Measurement]]] = {
            "install": upgrade.installation,
            "wrapping": wrapping.wrapped_script,
        }
        for group, measure in single.items():
            if group in told.only:
                yield from measure(server)
        if {"upgrade", "read", "views", "backup", "locks"} & set(told.only):
            for movements in told.sizes:
                yield from _sized(server, movements, told.only)
        if "locks" in told.only:
            yield locks.round_trips(server)
    if "documents" in told.only:
        yield from backup.documents(told.documents, debian=told.debian)
    if "standby" in told.only:
        yield from standby.clones(QUICK_STANDBY if told.quick else STANDBY)
        yield failover.failovers()


def _sized(server: Address, movements: int, only: Sequence[str]) -> Iterator[Measurement | Table]:
    template = upgrade.filled(server, movements)
    if "read" in only:
        yield from reading.commands(template, movements)
    if "views" in only:
        yield from reading.views(template, "1.0.8", movements)
    if "backup" in only and movements <= LARGEST_BACKUP:
        yield from backup.of_movements(server, template, movements)
    if "upgrade" in only:
        yield from upgrade.upgrade(server, template, movements)
    if "locks" in only and movements <= LARGEST_BACKUP:
        yield locks.held(server, template, movements)
    if "views" in only:
        peers.alembic(template)
        yield from reading.views(template, "1.1", movements)
    upgrade.dropped(server, template)


def _told(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", type=_numbers, help="movements, separated by commas")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it all work?")
    parser.add_argument("--only", type=_groups, default=GROUPS, help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--documents", type=int, help="megabytes of documents to back up")
    parser.add_argument("--debian", action="store_true", help="pg_backupcluster too, as root")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the results go")
    parser.add_argument("--report", action="store_true", help="only write the page anew")
    told = parser.parse_args(words)
    told.sizes = told.sizes or (QUICK if told.quick else SIZES)
    told.documents = told.documents or (QUICK_DOCUMENTS if told.quick else DOCUMENTS)
    return told


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(word.replace("_", "")) for word in text.split(",")))


def _groups(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    unknown = set(chosen) - set(GROUPS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return chosen


if __name__ == "__main__":
    main(sys.argv[1:])
