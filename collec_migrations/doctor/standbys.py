"""The standbys and how far they are behind: of the nodes that the site names, else of this one."""

from collections.abc import Iterator, Sequence

from collec_migrations import replica
from collec_migrations.doctor.report import Figure, Line
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import health, nodes, states
from collec_migrations.replica.nodes import NamedNode
from collec_migrations.replica.states import (
    Down,
    Limits,
    Node,
    NodeReport,
    Report,
    Sender,
    Up,
    Verdict,
)

GROUP = "standbys"
STATUS = "collec-migrations replica status"
HERE = "this server"
GIVEN = Limits()


def lines(named: Sequence[NamedNode], address: Address) -> Iterator[Line]:
    """Yield a line for each node that is named, else for each standby that this server has."""
    if named:
        yield from of_report(replica.report(replica.read_nodes(named)))
    else:
        yield from of_server(nodes.read_node(NamedNode(name=HERE, address=address)))


def of_report(report: Report) -> Iterator[Line]:
    """Yield a line for each node, and for what is wrong with them as a whole."""
    for finding in report.findings:
        yield Line(group=GROUP, name=finding.code, verdict=finding.verdict, text=finding.line,
                   command=finding.hint or STATUS)  # fmt: skip
    for one in report.nodes:
        yield _of_node(one)


def of_server(seen: Node) -> Iterator[Line]:
    """Yield the lines about one server: who receives from it, and its slots."""
    if isinstance(seen, Down):
        yield Line(group=GROUP, name="standbys", verdict=None, text=f"not asked: {seen.why}")
        return
    if seen.in_recovery:
        yield Line(group=GROUP, name="standbys", verdict=None, command=STATUS,
                   text="this server is a standby; name the nodes to have it judged")  # fmt: skip
        return
    for sender in seen.senders:
        yield _of_sender(sender, seen)
    (report,) = replica.report([seen]).nodes
    for finding in report.findings:
        yield Line(group=GROUP, name=finding.code, verdict=finding.verdict, text=finding.line,
                   command=finding.hint)  # fmt: skip
    if not seen.senders:
        yield Line(group=GROUP, name="standbys", verdict=Verdict.OK, text="none is connected")


def _of_node(one: NodeReport) -> Line:
    hints = [finding.hint for finding in one.findings if finding.hint]
    behind = one.lag.to_replay if one.lag else None
    return Line(
        group=GROUP,
        name=one.name,
        verdict=one.verdict,
        text=one.line.removeprefix(f"{one.name}: "),
        command="" if one.verdict is Verdict.OK else (hints[0] if hints else STATUS),
        figure=None if behind is None else Figure(value=behind, unit="B"),
    )


def _of_sender(sender: Sender, primary: Up) -> Line:
    behind = states.bytes_behind(primary.position, sender.replayed)
    if not sender.state and behind is None:
        return Line(group=GROUP, name=sender.name, verdict=None,
                    text="this role may not see how far it is",
                    command="grant pg_monitor to the role")  # fmt: skip
    late = behind is None or behind > GIVEN.bytes
    attention = sender.state != health.STREAMING or late
    far = "has replayed nothing yet" if behind is None else f"{behind} bytes behind"
    return Line(
        group=GROUP,
        name=sender.name,
        verdict=Verdict.ATTENTION if attention else Verdict.OK,
        text=f"{sender.state}, {far}, {sender.sync_state}",
        command=STATUS if attention else "",
        figure=None if behind is None else Figure(value=behind, unit="B"),
    )
