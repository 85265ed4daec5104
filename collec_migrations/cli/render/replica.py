"""Standbys as text, JSON, for Nagios and Prometheus: their state, plans, what was done."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from collec_migrations.cli import render
from collec_migrations.cli.render import Facts
from collec_migrations.errors import Problem
from collec_migrations.postgres import quoting, sizes
from collec_migrations.replica import (
    CONF,
    ClonePlan,
    CloneResult,
    Method,
    NodeReport,
    PrimaryPlan,
    PrimaryResult,
    Promotion,
    PromotionPlan,
    RejoinPlan,
    RejoinResult,
    Report,
    Switchover,
    SwitchoverPlan,
    Verdict,
    lsn_text,
    verdict_of,
)

TITLES = ("NODE", "ROLE", "TIMELINE", "BEHIND", "SECONDS", "LAST MESSAGE", "SLOT", "VERDICT")
STATUS = {Verdict.OK: 0, Verdict.ATTENTION: 1, Verdict.BROKEN: 3}
"""Exit statuses of `replica status` and `doctor`; 2 is a mistake in the command."""
CAME_BACK = {
    None: "follows already",
    Method.ATTACH: "follows again, as it was",
    Method.REWIND: "follows again, after a rewind",
    Method.CLONE: "follows again, as a new clone",
}


def status(report: Report) -> Iterator[str]:
    """Yield the table, and a line for each finding."""
    yield from render.table(TITLES, [_row(one) for one in report.nodes])
    for finding in report.findings:
        yield from _finding("", finding)
    for node in report.nodes:
        for finding in node.findings:
            yield from _finding(f"{node.name}: ", finding)


def status_json(report: Report) -> Facts:
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
    wrong = [one.message for one in report.findings]
    wrong += [node.line for node in report.nodes if node.verdict is not Verdict.OK]
    text = "; ".join(wrong) or "; ".join(node.line for node in report.nodes)
    return render.nagios("REPLICA", report.verdict, text, _performance(report))


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


def _finding(who: str, finding: Problem) -> Iterator[str]:
    yield f"{verdict_of([finding])}: {who}{finding.message}"
    if finding.hint:
        yield f"  {finding.hint}"


def _performance(report: Report) -> Iterator[str]:
    for node in report.nodes:
        if node.lag and node.lag.to_replay is not None:
            yield f"'{node.name} bytes'={node.lag.to_replay}B"
        if node.lag and node.lag.seconds is not None:
            yield f"'{node.name} seconds'={node.lag.seconds:.1f}s"


def primary_plan(found: PrimaryPlan) -> Iterator[str]:
    """Yield what a primary lacks, and what would be written."""
    release = found.primary.version_text.split(" ")[1]
    yield f"primary: PostgreSQL {release}; standby: {found.standby}"
    yield from _missing(found)
    yield from (f"note: {note}" for note in found.notes)
    if found.settings:
        yield f"settings ({CONF}.conf in conf.d, else in postgresql.conf):"
        yield from (
            f"  {name} = {quoting.configuration_value(value)}"
            for name, value in found.settings.items()
        )
    if not found.lets_in:
        yield "above all rules of pg_hba.conf:"
        yield from (f"  {line}" for line in found.access.lines)
    if found.is_ready:
        yield "nothing is missing"
        return
    due = ", ".join(found.restart)
    yield f"a restart is due for {due}" if due else "no restart is needed"
    yield "the server is never restarted by this"


def _missing(found: PrimaryPlan) -> Iterator[str]:
    for one in found.findings:
        yield f"missing: {one.message}"
        yield f"         {one.hint}"
    for role in found.roles:
        yield f"missing: role {role.name} ({role.attributes})"
        yield f"         {role.why}"
    for name in found.weak:
        yield f"missing: the password of {name} is kept as MD5"
        yield "         it is easy to break; a new one is made"
    if found.lets_in is False:
        yield f"missing: pg_hba.conf does not let {found.standby} in by password"
        yield "         the standby could not connect"


def primary(done: PrimaryResult, secrets: Path) -> Iterator[str]:
    """Yield what was written, and what is left to do."""
    if done.settings:
        yield f"wrote {done.settings}"
    if done.access:
        yield f"wrote {done.access}"
    if done.passwords:
        yield f"copy {secrets} to the standby's machine, mode 0600, for the server's account"
    for failure in done.failures:
        yield f"by hand: {failure}"
        yield from (f"  {line}" for line in failure.hint.splitlines())
    waiting = {name for name, one in done.after.primary.settings.items() if one.pending}
    due = [one for one in done.after.findings if one.code in waiting]
    if waiting:
        yield f"restart PostgreSQL: {', '.join(sorted(waiting))} (in force only then)"
    rest = tuple(one for one in done.after.findings if one not in due)
    yield from _missing(replace(done.after, findings=rest))
    yield from (f"note: {note}" for note in done.after.notes)
    if done.after.is_ready:
        yield "the primary is ready; on the standby's machine: collec-migrations replica clone"


def primary_plan_json(found: PrimaryPlan) -> Facts:
    """Return the facts of a plan for a primary."""
    return {
        "ready": found.is_ready,
        "standby": found.standby,
        "missing": [asdict(one) for one in found.findings],
        "roles": [{"name": one.name, "why": one.why} for one in found.roles],
        "weak_passwords": list(found.weak),
        "settings": dict(found.settings),
        "restart": list(found.restart),
        "lets_in": found.lets_in,
        "access": list(found.access.lines),
        "notes": list(found.notes),
    }


def primary_json(done: PrimaryResult) -> Facts:
    """Return the facts of what was done to a primary."""
    return {
        "passwords": list(done.passwords),
        "settings": done.settings,
        "access": done.access,
        "failures": [{"message": str(one), "hint": one.hint} for one in done.failures],
        "after": primary_plan_json(done.after),
    }


def clone_plan(found: ClonePlan) -> Iterator[str]:
    """Yield what a clone would do."""
    spec, node, primary = found.spec, found.node, found.primary
    release = primary.version_text.split(" ")[1]
    yield f"standby {spec.name!r} of {spec.shown}"
    yield f"  primary    PostgreSQL {release}, system {found.system}, timeline {found.timeline}"
    yield f"  into       {spec.data}: {found.target.kind.value}, owner {node.account.name}"
    yield f"  programs   {node.binaries.bin_dir} ({node.binaries.version})"
    yield f"  size       {sizes.shown(primary.databases)}; {sizes.shown(found.target.free)} free"
    yield f"  comes in   as {spec.user}, password file {found.upstream.passfile}"
    yield "it would"
    yield f"  make the slot {spec.slot!r} on the primary"
    yield f"  copy by pg_basebackup into {spec.partial}, and verify the copy"
    yield f"  give it its name{', after moving aside what is there' if found.target.system else ''}"
    yield "  configure it as a standby, with no setting below the primary's"
    yield f"  start it by {_starter(found)}, and wait until it streams"
    yield from (f"note: {note}" for note in found.notes)
    for one in found.obstacles:
        yield f"blocked by: {one.message}"
        yield f"            {one.hint}"
    yield "not possible yet" if found.obstacles else "nothing blocks it"


def clone(done: CloneResult) -> Iterator[str]:
    """Yield what a clone did."""
    spec, node = done.plan.spec, done.plan.node
    after = f"after {done.seconds:.1f} s"
    yield f"{spec.name!r} streams from {spec.shown}, {after}; slot {spec.slot!r}"
    if not done.asked:
        yield "note: its owner cannot come in by the socket: the primary's slot alone proves it"
    if done.raised:
        yield f"note: raised to the primary's running values: {', '.join(done.raised)}"
    if done.aside:
        yield f"the former folder is {done.aside}; remove it when you need it no more"
    if not node.debian:
        stop = shlex.join((str(node.binaries.program("pg_ctl")), "-D", str(spec.data), "stop"))
        who = "" if node.account.is_caller else f"runuser -u {node.account.name} -- "
        yield f"started by pg_ctl: nothing starts it at boot yet. Stop it with: {who}{stop}"


def _starter(found: ClonePlan) -> str:
    return f"pg_ctlcluster ({found.node.debian.shown})" if found.node.debian else "pg_ctl"


def clone_plan_json(found: ClonePlan) -> Facts:
    """Return the facts of the plan of a clone."""
    return {
        "name": found.spec.name,
        "primary": found.spec.shown,
        "system": str(found.system),
        "timeline": found.timeline,
        "data": found.spec.data,
        "slot": found.spec.slot,
        "bytes": found.primary.databases,
        "obstacles": [{"message": one.message, "hint": one.hint} for one in found.obstacles],
        "notes": list(found.notes),
    }


def clone_json(done: CloneResult) -> Facts:
    """Return the facts of a clone."""
    return {
        "name": done.plan.spec.name,
        "primary": done.plan.spec.shown,
        "data": done.plan.spec.data,
        "slot": done.plan.spec.slot,
        "seconds": done.seconds,
        "streams": True,
        "proved_by_itself": done.asked,
        "raised": list(done.raised),
        "aside": done.aside,
    }


def promotion_plan(found: PromotionPlan) -> Iterator[str]:
    """Yield what a promotion would do."""
    target = found.target
    yield f"{target.name} ({target.shown}) becomes the primary, on a new timeline"
    for slot in found.slots:
        yield f"  the slot {slot!r} is made on it, for a node that comes back"
    yield from (f"overruled by --force: {one.message}" for one in found.overruled)
    yield from (f"note: {note}" for note in found.notes)


def promotion(done: Promotion, found: PromotionPlan) -> Iterator[str]:
    """Yield what a promotion did, and what follows."""
    yield f"{done.name} is the primary on timeline {done.timeline}, after {done.seconds:.1f} s"
    yield from (f"by hand: {line}" for line in done.left)
    yield "keep the former primary off until, on its machine:"
    yield "  collec-migrations replica rejoin --data DATA_FOLDER --name ITS_NAME"
    if found.slots and (found.target.number("max_slot_wal_keep_size") or -1) < 0:
        yield "a slot keeps WAL until its node is back: drop those of nodes that stay away"
    yield "update the configuration of the application:"


def switchover_plan(found: SwitchoverPlan) -> Iterator[str]:
    """Yield what a switchover would do."""
    primary, target = found.primary.name, found.target.name
    yield f"{primary} is stopped: the application is away for some seconds"
    yield f"when {target} is proved to have its last record, it is promoted; else {primary} starts"
    yield f"{primary} follows {target}"


def switchover(done: Switchover, found: SwitchoverPlan) -> Iterator[str]:
    """Yield what a switchover did, and what follows."""
    yield (
        f"{found.target.name} is the primary on timeline {done.promoted.timeline}; "
        f"{done.away:.1f} s without one"
    )
    yield (
        f"bytes lost: {done.lost} "
        f"({found.primary.name} stopped at {lsn_text(done.stopped_at)}, "
        f"{found.target.name} had {lsn_text(done.had)})"
    )
    yield from (f"by hand: {line}" for line in done.left)
    for other in found.others:
        yield f"on the machine of {other}: replica rejoin --data DATA_FOLDER --name {other}"
    yield "update the configuration of the application:"


def rejoin_plan(found: RejoinPlan) -> Iterator[str]:
    """Yield how a server would come back."""
    assert found.choice is not None
    name, data = found.request.name, found.spec.data
    yield f"{name} ({data}) follows {found.primary.name}, timeline {found.primary.timeline}"
    if found.writes:
        yield "  it takes writes at this moment: what it took alone is LOST"
    if found.running:
        yield "  its server is stopped"
    yield f"  {found.choice.method.value}: {found.choice.why}"
    if found.choice.method is Method.REWIND:
        yield "  what it wrote and its primary never had is gone then; its settings stay"
        yield "  if that is not possible, it is cloned anew"
    if found.choice.method is not Method.ATTACH:
        yield f"  for a clone the present folder is moved aside, as {data.name}.before-..."
    yield "  it is marked as a standby before it starts"


def rejoin(done: RejoinResult, found: RejoinPlan) -> Iterator[str]:
    """Yield how a server came back."""
    how = CAME_BACK[done.method]
    yield f"{found.request.name} {how}: {found.primary.name}, timeline {done.timeline}"
    yield from (f"the slot {name!r} that it had as a primary is dropped" for name in done.dropped)
    if done.aside:
        yield f"the former folder is {done.aside}; remove it when you need it no more"
    yield from (f"by hand: {line}" for line in done.left)
