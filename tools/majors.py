"""Run every verb on every major at hand and write the table of docs/servers.md from that run.

`python -m tools.majors`: see `tools.servers` for where the servers come from. A cell is what the
run's report says, and nothing else: a verb that did its work, one that failed, or why it was not
tried.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from collec_migrations.postgres import binaries
from tests.servers import FETCHED

ROOT = FETCHED.parent
PAGE = ROOT / "docs" / "servers.md"
TESTS = "tests/database/test_every_major.py"
BEGIN, END = "<!-- from the run: python -m tools.majors -->", "<!-- end of the run -->"
VERBS: Mapping[str, tuple[str, ...]] = {
    "test_the_chain_up_and_down": (
        "upgrade", "detect", "verify", "downgrade", "plan", "adopt", "--sql",
    ),
    "test_a_backup_and_what_is_done_with_it": (
        "backup run", "backup verify", "backup restore", "rehearse", "doctor",
    ),
    "test_an_installation": ("install",),
    "test_the_life_of_a_standby": tuple(
        f"replica {verb}" for verb in ("primary", "clone", "status", "promote", "rejoin")
    ),
}  # fmt: skip
"""What each test notes, in the order of the table."""


def main() -> None:
    """Run the tests, write the table; exit as the run did."""
    majors = sorted({int(one.major) for one in binaries.at_hand()})
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        words = (sys.executable, "-m", "pytest", "-q", TESTS, f"--junitxml={report}", *sys.argv[1:])
        done = subprocess.run(
            words, cwd=ROOT, env={**os.environ, "COLLEC_TEST_MAJORS": "all"}, check=False
        )
        cells = dict(found(ElementTree.parse(report).getroot()))
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    lines = "\n".join((BEGIN, *table(majors, cells), END))
    PAGE.write_text(f"{before}{lines}{after}", "utf-8")
    sys.exit(done.returncode)


def found(report: ElementTree.Element) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield what became of each verb on each major."""
    for case in report.iter("testcase"):
        name, _, major = str(case.get("name")).partition("[pg")
        noted = [str(one.get("value")) for one in case.iter("property")]
        remarks = {verb: remark for verb, _, remark in (one.partition(": ") for one in noted)}
        skipped = case.find("skipped")
        why = (
            "**failed**"
            if skipped is None
            else re.sub(r" of \d+ cannot", " cannot", str(skipped.get("message")))
        )
        for verb in VERBS[name]:
            yes = f"run ({remarks[verb]})" if remarks.get(verb) else "run"
            yield (verb, int(major.rstrip("]"))), yes if verb in remarks else why


def table(majors: list[int], cells: Mapping[tuple[str, int], str]) -> Iterator[str]:
    """Yield the table, and below it the remarks, each once."""
    remarks: list[str] = []

    def shown(cell: str) -> str:
        if cell in ("run", "**failed**"):
            return cell
        remark = cell.removeprefix("run (").removesuffix(")")
        if remark not in remarks:
            remarks.append(remark)
        word = "run" if cell.startswith("run") else "no"
        return f"{word} ({remarks.index(remark) + 1})"

    version = {one.major: one.version for one in binaries.at_hand()}
    yield f"| verb | {' | '.join(map(str, majors))} |"
    yield f"|---|{'---|' * len(majors)}"
    yield f"| server | {' | '.join(version[major] for major in majors)} |"
    for verb in (verb for verbs in VERBS.values() for verb in verbs):
        row = (shown(cells.get((verb, major), "not tried")) for major in majors)
        yield f"| `{verb}` | {' | '.join(row)} |"
    for number, remark in enumerate(remarks, 1):
        yield ("" if number > 1 else "\n") + f"({number}) {remark}."


if __name__ == "__main__":
    main()
