"""The copies of the data: backups, how old and whether ever restored; standbys, how far behind."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from collec_migrations import backup, replica
from collec_migrations.backup import Backup, Broken
from collec_migrations.doctor.report import (
    ATTENTION,
    BROKEN,
    Figure,
    Line,
    ago,
    checked,
    disk,
    unknown,
)
from collec_migrations.errors import UsageError
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import (
    Down,
    Limits,
    NamedNode,
    Node,
    NodeReport,
    Report,
    Sender,
    Up,
    Verdict,
)

BACKUP, STANDBYS = "backup", "standbys"
HOUR = 3600.0
LATE = 30 * HOUR
"""A night was missed."""
LOST = 8 * 24 * HOUR
"""A week was missed."""
TRIED = 35 * 24 * HOUR
"""A backup should be restored on trial once a month."""
STATUS = "collec-migrations replica status"
HERE = "this server"
GIVEN = Limits()


def backups(folder: Path | None, origin: tuple[str, str], now: datetime) -> Iterator[Line]:
    """Yield the lines about the backups of a database: its server's identifier, and its name.

    Both may be empty, for any: the server is down, or does not tell.
    """
    schedule = "collec-migrations backup schedule --into DIR"
    if folder is None:
        name_it = f"Set COLLEC_BACKUP_DIR or --into; {schedule}"
        yield checked(BACKUP, "backup", "", (True, ATTENTION, "no folder is named", name_it))
        return
    try:
        whole, broken = backup.backups(folder)
    except UsageError as error:
        wrong = (True, BROKEN, str(error), schedule.replace("DIR", str(folder)))
        yield checked(BACKUP, "backup", "", wrong)
        return
    except OSError as error:
        why = f"{folder} cannot be read: {(error.strerror or '').lower()}"
        yield unknown(BACKUP, "backup", why, "Run this as the account that takes the backups")
        return
    system, database = origin
    its = [
        one
        for one in whole
        if database in ("", one.manifest.database)
        and (not system or one.manifest.system_identifier in ("", system))
    ]
    if not its:
        yield last((), folder, now)
    for one in dict.fromkeys(one.manifest.origin for one in its):
        of_it = sorted(
            (other for other in its if other.manifest.origin == one),
            key=lambda it: it.manifest.age_key,
        )
        yield last(of_it, folder, now)
        yield verified(of_it, folder, now)
    fallen = [one for one in its if one.is_fallen]
    if fallen:
        what = f"rows fell in {fallen[-1].id}: {fallen[-1].manifest.falls[0]}"
        accept = f"look at it, then: collec-migrations backup prune --into {folder} --yes"
        yield checked(BACKUP, "rows", "", (True, BROKEN, what, accept))
    yield whole_ones(broken, folder)
    yield disk(BACKUP, "backup disk", folder, "")


def last(oldest_first: Sequence[Backup], folder: Path, now: datetime) -> Line:
    """Return the line about the newest backup."""
    run = f"collec-migrations backup run --into {folder}"
    if not oldest_first:
        none = (True, BROKEN, f"none of this database in {folder}", run)
        return checked(BACKUP, "backup", "", none)
    newest = oldest_first[-1]
    age = (now - newest.manifest.started).total_seconds()
    text = f"{newest.id} is {ago(age)} old, of {newest.manifest.server or 'an unknown server'}"
    return checked(
        *(BACKUP, "backup", text),
        (age > LOST, BROKEN, text, run),
        (age > LATE, ATTENTION, text, run),
        figure=Figure(value=round(age), unit="s"),
    )


def verified(oldest_first: Sequence[Backup], folder: Path, now: datetime) -> Line:
    """Return the line about trial restores."""
    newest_id = oldest_first[-1].id if oldest_first else "last"
    verify = f"collec-migrations backup verify {newest_id} --into {folder}"
    damaged = bool(oldest_first) and oldest_first[-1].verdict == "damaged"
    tried = [one for one in oldest_first if one.verdict == "verified" and one.verified]
    newest = tried[-1] if tried else None
    when = newest.verified if newest else None
    age = (now - when).total_seconds() if when else 0.0
    text = f"{newest.id} was restored on trial {ago(age)} ago" if newest else ""
    again = f"collec-migrations backup run --into {folder}; {verify}"
    return checked(
        *(BACKUP, "verified", text),
        (damaged, BROKEN, f"the last one is damaged; {text or 'none was verified'}", again),
        (newest is None, ATTENTION, "none was ever restored on trial", verify),
        (age > TRIED, ATTENTION, text, verify),
    )


def whole_ones(broken: Sequence[Broken], folder: Path) -> Line:
    """Return the line about what looks like a backup and is none."""
    first = f"{broken[0].id}: {broken[0].why}" if broken else ""
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    see = f"collec-migrations backup list --into {folder}; backup prune ID --yes"
    wrong = (bool(broken), ATTENTION, f"{first}{more}", see)
    return checked(BACKUP, "complete", "all are complete", wrong)


def standbys(named: Sequence[NamedNode], address: Address) -> Iterator[Line]:
    """Yield a line for each node that is named, else for each standby that this server has."""
    if named:
        yield from of_report(replica.report(replica.read_nodes(named)))
    else:
        yield from of_server(replica.read_node(NamedNode(name=HERE, address=address)))


def of_report(report: Report) -> Iterator[Line]:
    """Yield a line for each node, and for what is wrong with them as a whole."""
    for finding in report.findings:
        problem = replace(finding, hint=finding.hint or STATUS)
        yield Line(STANDBYS, finding.code, problem=problem)
    for one in report.nodes:
        yield _of_node(one)


def of_server(seen: Node) -> Iterator[Line]:
    """Yield the lines about one server: who receives from it, and its slots."""
    if isinstance(seen, Down):
        yield unknown(STANDBYS, "standbys", f"not asked: {seen.why}")
        return
    if seen.in_recovery:
        why = "this server is a standby; name the nodes to have it judged"
        yield unknown(STANDBYS, "standbys", why, STATUS)
        return
    for sender in seen.senders:
        yield _of_sender(sender, seen)
    (report,) = replica.report([seen]).nodes
    for finding in report.findings:
        yield Line(STANDBYS, finding.code, problem=finding)
    if not seen.senders:
        yield Line(STANDBYS, "standbys", "none is connected")


def _of_node(one: NodeReport) -> Line:
    behind = one.lag.to_replay if one.lag else None
    text = one.line.removeprefix(f"{one.name}: ")
    hint = next((finding.hint for finding in one.findings if finding.hint), STATUS)
    level = BROKEN if one.verdict is Verdict.BROKEN else ATTENTION
    return checked(
        *(STANDBYS, one.name, text),
        (one.verdict is not Verdict.OK, level, text, hint),
        figure=None if behind is None else Figure(value=behind, unit="B"),
    )


def _of_sender(sender: Sender, primary: Up) -> Line:
    behind = replica.bytes_behind(primary.position, sender.replayed)
    if not sender.state and behind is None:
        why = "this role may not see how far it is"
        return unknown(STANDBYS, sender.name, why, "grant pg_monitor to the role")
    late = behind is None or behind > GIVEN.bytes
    far = "has replayed nothing yet" if behind is None else f"{behind} bytes behind"
    text = f"{sender.state}, {far}, {sender.sync_state}"
    return checked(
        *(STANDBYS, sender.name, text),
        (sender.state != replica.STREAMING or late, ATTENTION, text, STATUS),
        figure=None if behind is None else Figure(value=behind, unit="B"),
    )
