"""Tell a person or a program how the ways went. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from collec_migrations.testing.path_results import NOTHING, Outcome, Tried

TITLES = ("PostgreSQL", "From", "To", "Rows", "Up", "Back", "Verdict")


def rows(found: Sequence[Tried]) -> Iterator[tuple[str, ...]]:
    """Yield a line of the table for each way on each server, in the order of `TITLES`."""
    for server in found:
        for one in server.outcomes:
            yield (
                server.server_version,
                one.way.start or NOTHING,
                one.way.head,
                one.way.content,
                _seconds(one.up),
                _seconds(one.back),
                one.verdict,
            )


def details(found: Sequence[Tried]) -> Iterator[str]:
    """Yield what failed, and each remark once."""
    remarks: dict[str, None] = {}
    for server in found:
        for one in server.outcomes:
            remarks |= dict.fromkeys(one.remarks)
            if one.failures:
                yield f"PostgreSQL {server.server_version}, {one.way.title}: FAILED"
                yield from (f"  {line}" for text in one.failures for line in text.splitlines())
    yield from (f"note: {remark}" for remark in remarks)


def summary(found: Sequence[Tried]) -> str:
    """Return the result in one line."""
    tried = sum(len(server.outcomes) for server in found)
    failed = sum(len(server.failed) for server in found)
    seconds = sum(server.seconds for server in found)
    servers = ", ".join(server.server_version for server in found)
    verdict = f"{failed} of {tried} paths FAILED" if failed else f"all {tried} paths are sound"
    return f"{verdict} on PostgreSQL {servers} ({seconds:.0f} s of work)"


def progress(one: Outcome) -> str:
    """Return a line about a way that was just walked."""
    return f"{one.way.title}: {one.verdict}, {_seconds(one.up)} up, {_seconds(one.back)} back"


def as_json(found: Sequence[Tried]) -> dict[str, Any]:
    """Return every fact."""
    return {
        "succeeds": not any(server.failed for server in found),
        "servers": [
            {
                "version": server.server_version,
                "seconds": round(server.seconds, 3),
                "paths": [
                    {
                        **asdict(one.way),
                        "verdict": one.verdict.lower(),
                        "seconds_up": one.up,
                        "seconds_back": one.back,
                        "failures": list(one.failures),
                        "remarks": list(one.remarks),
                    }
                    for one in server.outcomes
                ],
            }
            for server in found
        ],
    }


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
