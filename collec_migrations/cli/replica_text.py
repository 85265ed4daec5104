"""Show the state of a replication: to a person, as JSON, to Nagios, to Prometheus. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from collec_migrations.cli import render
from collec_migrations.errors import Problem
from collec_migrations.postgres import sizes
from collec_migrations.replica import NodeReport, Report, Verdict, verdict_of

TITLES = ("NODE", "ROLE", "TIMELINE", "BEHIND", "SECONDS", "LAST MESSAGE", "SLOT", "VERDICT")
STATUS = {Verdict.OK: 0, Verdict.ATTENTION: 1, Verdict.BROKEN: 3}
"""Exit statuses of `replica status`; 2 is a mistake in the command."""
NAGIOS = {Verdict.OK: (0, "OK"), Verdict.ATTENTION: (1, "WARNING"), Verdict.BROKEN: (2, "CRITICAL")}


def lines(report: Report) -> Iterator[str]:
    """Yield the table, and a line for each finding."""
    yield from render.table(TITLES, [_row(one) for one in report.nodes])
    for finding in report.findings:
        yield from _told("", finding)
    for node in report.nodes:
        for finding in node.findings:
            yield from _told(f"{node.name}: ", finding)


def as_json(report: Report) -> dict[str, Any]:  # what json takes
    """Return the same facts for programs."""
    return {
        "verdict": report.verdict,
        "findings": [asdict(one) for one in report.findings],
        "nodes": [
            {**asdict(one), "verdict": one.verdict, "line": one.line} for one in report.nodes
        ],
    }


def nagios(report: Report) -> tuple[int, str]:
    """Return the exit status and the line of a Nagios plugin, with performance data."""
    status, word = NAGIOS[report.verdict]
    wrong = [one.message for one in report.findings]
    wrong += [node.line for node in report.nodes if node.verdict is not Verdict.OK]
    text = "; ".join(wrong) or "; ".join(node.line for node in report.nodes)
    data = " ".join(_performance(report))
    return status, f"REPLICA {word} - {_plain(text).replace('|', '/')}" + (
        f" | {data}" if data else ""
    )


def prometheus(report: Report) -> Iterator[str]:
    """Yield lines for the textfile collector of node_exporter."""
    gauges: tuple[tuple[str, str, dict[str, float | None]], ...] = (
        (
            "collec_replica_verdict",
            "0 ok, 1 attention, 2 broken.",
            {one.name: float(list(Verdict).index(one.verdict)) for one in report.nodes},
        ),
        (
            "collec_replica_in_recovery",
            "1 for a standby.",
            {one.name: float(one.role == "standby") for one in report.nodes},
        ),
        (
            "collec_replica_lag_bytes",
            "Bytes written and not yet replayed.",
            {one.name: one.lag.to_replay if one.lag else None for one in report.nodes},
        ),
        (
            "collec_replica_lag_seconds",
            "Seconds that the standby is late.",
            {one.name: one.lag.seconds if one.lag else None for one in report.nodes},
        ),
        (
            "collec_replica_message_age_seconds",
            "Seconds since the last message from the primary.",
            {one.name: one.message_age for one in report.nodes},
        ),
    )
    for name, meaning, values in gauges:
        yield f"# HELP {name} {meaning}"
        yield f"# TYPE {name} gauge"
        for node, value in values.items():
            if value is not None:
                yield f'{name}{{node="{node}"}} {value:g}'
    yield "# HELP collec_replica_whole 0 ok, 1 attention, 2 broken."
    yield "# TYPE collec_replica_whole gauge"
    yield f"collec_replica_whole {list(Verdict).index(report.verdict)}"


def _plain(text: str) -> str:
    """Return a text on one line: a monitor takes the next one for something else."""
    return "".join(c if c.isprintable() else " " for c in text)


def _row(node: NodeReport) -> tuple[str, ...]:
    lag = node.lag
    return (
        node.name,
        node.role,
        "" if node.timeline is None else str(node.timeline),
        "" if lag is None else "?" if lag.to_replay is None else sizes.shown(lag.to_replay),
        "" if lag is None else "?" if lag.seconds is None else f"{lag.seconds:.1f}",
        "" if node.message_age is None else f"{node.message_age:.1f} s",
        node.slot,
        node.verdict,
    )


def _told(who: str, finding: Problem) -> Iterator[str]:
    yield f"{verdict_of([finding])}: {who}{finding.message}"
    if finding.hint:
        yield f"  {finding.hint}"


def _performance(report: Report) -> Iterator[str]:
    for node in report.nodes:
        if node.lag and node.lag.to_replay is not None:
            yield f"'{node.name} bytes'={node.lag.to_replay}B"
        if node.lag and node.lag.seconds is not None:
            yield f"'{node.name} seconds'={node.lag.seconds:.1f}s"
