"""The last backup: how old it is, and whether it was ever restored."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from collec_migrations import backup
from collec_migrations.backup import Backup, Broken
from collec_migrations.doctor import disk
from collec_migrations.doctor.report import Figure, Line, ago, first_bad
from collec_migrations.errors import UsageError
from collec_migrations.replica.findings import Verdict

GROUP = "backup"
ATTENTION, BROKEN = Verdict.ATTENTION, Verdict.BROKEN
HOUR = 3600.0
LATE = 30 * HOUR
"""A night was missed."""
LOST = 8 * 24 * HOUR
"""A week was missed."""
TRIED = 35 * 24 * HOUR
"""A backup should be restored on trial once a month."""


def lines(folder: Path | None, database: str, now: datetime) -> Iterator[Line]:
    """Yield the lines about the backups of a database; an empty name stands for any."""
    schedule = "collec-migrations backup schedule --into DIR --install"
    if folder is None:
        yield Line(group=GROUP, name="backup", verdict=ATTENTION, text="no folder is named",
                   command=f"Set COLLEC_BACKUP_DIR or --into; {schedule}")  # fmt: skip
        return
    try:
        whole, broken = backup.backups(folder)
    except UsageError as error:
        yield Line(group=GROUP, name="backup", verdict=BROKEN, text=str(error),
                   command=schedule.replace("DIR", str(folder)))  # fmt: skip
        return
    except OSError as error:
        why = f"{folder} cannot be read: {(error.strerror or '').lower()}"
        yield Line(group=GROUP, name="backup", verdict=None, text=why,
                   command="Run this as the account that takes the backups")  # fmt: skip
        return
    its = [one for one in whole if database in ("", one.manifest.database)]
    yield last(its, folder, now)
    if its:
        yield verified(its, folder, now)
    fallen = [one for one in its if one.is_fallen]
    if fallen:
        what = f"{fallen[-1].id}: {fallen[-1].manifest.falls[0]}"
        accept = f"collec-migrations backup prune --into {folder} --yes"
        yield Line(group=GROUP, name="rows", verdict=BROKEN, text=f"rows fell in {what}",
                   command=f"look at it, then: {accept}")  # fmt: skip
    yield whole_ones(broken, folder)
    yield disk.line(GROUP, "backup disk", folder, "")


def last(oldest_first: Sequence[Backup], folder: Path, now: datetime) -> Line:
    """Return the line about the newest backup."""
    run = f"collec-migrations backup run --into {folder}"
    if not oldest_first:
        return Line(group=GROUP, name="backup", verdict=BROKEN,
                    text=f"none of this database in {folder}", command=run)  # fmt: skip
    newest = oldest_first[-1]
    age = (now - newest.manifest.started).total_seconds()
    told = f"{newest.id} is {ago(age)} old"
    line = first_bad(
        [(age > LOST, BROKEN, told, run), (age > LATE, ATTENTION, told, run)],
        group=GROUP,
        name="backup",
        good=told,
    )
    return Line(group=GROUP, name=line.name, verdict=line.verdict, text=line.text,
                command=line.command, figure=Figure(value=round(age), unit="s"))  # fmt: skip


def verified(oldest_first: Sequence[Backup], folder: Path, now: datetime) -> Line:
    """Return the line about trial restores."""
    newest_id = oldest_first[-1].id if oldest_first else "last"
    verify = f"collec-migrations backup verify {newest_id} --into {folder}"
    damaged = bool(oldest_first) and oldest_first[-1].verdict == "damaged"
    tried = [one for one in oldest_first if one.verdict == "verified" and one.verified]
    newest = tried[-1] if tried else None
    when = newest.verified if newest else None
    age = (now - when).total_seconds() if when else 0.0
    told = f"{newest.id} was restored on trial {ago(age)} ago" if newest else ""
    again = f"collec-migrations backup run --into {folder}; {verify}"
    return first_bad(
        [
            (damaged, BROKEN, f"the last one is damaged; {told or 'none was verified'}", again),
            (newest is None, ATTENTION, "none was ever restored on trial", verify),
            (age > TRIED, ATTENTION, told, verify),
        ],
        group=GROUP,
        name="verified",
        good=told,
    )


def whole_ones(broken: Sequence[Broken], folder: Path) -> Line:
    """Return the line about what looks like a backup and is none."""
    first = f"{broken[0].id}: {broken[0].why}" if broken else ""
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    return first_bad(
        [(bool(broken), ATTENTION, f"{first}{more}",
          f"collec-migrations backup list --into {folder}; backup prune ID --yes")],
        group=GROUP, name="complete", good="all are complete",
    )  # fmt: skip
