"""What was found out about the paths through the chain: as a table, as JSON, as JUnit XML."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """From a version, or from an empty database, to the newest one and back."""

    start: str | None
    head: str
    rows: int
    """Movements of sample data at the start; 0: no rows of a user."""

    @property
    def content(self) -> str:
        """Return what the database holds at the start, in a word."""
        return "filled" if self.rows else "fresh"

    @property
    def title(self) -> str:
        """Return the path in a few words."""
        return f"{self.start or NOTHING} to {self.head}, {self.content}"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How one path went, or goes."""

    path: Path
    up: float | None = None
    """Seconds to the newest version; None: it did not arrive."""
    back: float | None = None
    """Seconds back to the start; None: it did not arrive, or there is no way back."""
    failures: list[str] = field(default_factory=list)
    """What is wrong, one sentence or error each; empty: nothing."""
    remarks: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Return `ok` or `FAILED`."""
        return "FAILED" if self.failures else "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerResult:
    """All paths on one server."""

    server_version: str
    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def major(self) -> int:
        """Return the major version of the server."""
        return int(self.server_version.partition(".")[0])

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Return the paths that failed."""
        return tuple(one for one in self.outcomes if one.failures)


TITLES = ("PostgreSQL", "From", "To", "Rows", "Up", "Back", "Verdict")


def rows(found: Sequence[ServerResult]) -> Iterator[tuple[str, ...]]:
    """Yield a line of the table for each path on each server, in the order of `TITLES`."""
    for server in found:
        for one in server.outcomes:
            yield (
                server.server_version,
                one.path.start or NOTHING,
                one.path.head,
                one.path.content,
                _seconds(one.up),
                _seconds(one.back),
                one.verdict,
            )


def details(found: Sequence[ServerResult]) -> Iterator[str]:
    """Yield what failed, and each remark once."""
    remarks: dict[str, None] = {}
    for server in found:
        for one in server.outcomes:
            remarks |= dict.fromkeys(one.remarks)
            if one.failures:
                yield f"PostgreSQL {server.server_version}, {one.path.title}: FAILED"
                yield from (f"  {line}" for text in one.failures for line in text.splitlines())
    yield from (f"note: {remark}" for remark in remarks)


def summary(found: Sequence[ServerResult]) -> str:
    """Return the result in one line."""
    tried = sum(len(server.outcomes) for server in found)
    failed = sum(len(server.failed) for server in found)
    seconds = sum(server.seconds for server in found)
    servers = ", ".join(server.server_version for server in found)
    verdict = f"{failed} of {tried} paths FAILED" if failed else f"all {tried} paths are sound"
    return f"{verdict} on PostgreSQL {servers} ({seconds:.0f} s of work)"


def progress(one: Outcome) -> str:
    """Return a line about a path that was just tried."""
    return f"{one.path.title}: {one.verdict}, {_seconds(one.up)} up, {_seconds(one.back)} back"


def as_json(found: Sequence[ServerResult]) -> dict[str, Any]:
    """Return every fact."""
    return {
        "succeeds": not any(server.failed for server in found),
        "servers": [
            {
                "version": server.server_version,
                "seconds": round(server.seconds, 3),
                "paths": [
                    {
                        **asdict(one.path),
                        "verdict": one.verdict.lower(),
                        "seconds_up": one.up,
                        "seconds_back": one.back,
                        "failures": one.failures,
                        "remarks": one.remarks,
                    }
                    for one in server.outcomes
                ],
            }
            for server in found
        ],
    }


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def as_junit(found: Sequence[ServerResult]) -> str:
    """Return a JUnit XML file: a suite for each server, a case for each path."""
    top = ET.Element("testsuites", {"name": "collec-migrations test-paths", **_counts(found)})
    for server in found:
        name = f"PostgreSQL {server.server_version}"
        suite = ET.SubElement(top, "testsuite", {"name": name, **_counts([server])})
        for one in server.outcomes:
            _add_case(suite, f"pg{server.major}", one)
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _counts(found: Sequence[ServerResult]) -> dict[str, str]:
    return {
        "tests": str(sum(len(server.outcomes) for server in found)),
        "failures": str(sum(len(server.failed) for server in found)),
        "errors": "0",
        "time": f"{sum(server.seconds for server in found):.3f}",
    }


def _add_case(suite: ET.Element, server: str, one: Outcome) -> None:
    seconds = (one.up or 0.0) + (one.back or 0.0)
    case = ET.SubElement(
        suite, "testcase", classname=server, name=one.path.title, time=f"{seconds:.3f}"
    )
    if one.failures:
        failure = ET.SubElement(case, "failure", message=_plain(one.failures[0].splitlines()[0]))
        failure.text = _plain("\n".join(one.failures))
    if one.remarks:
        ET.SubElement(case, "system-out").text = _plain("\n".join(one.remarks))


def _plain(text: str) -> str:
    """Return a text without the control characters that XML cannot hold."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
