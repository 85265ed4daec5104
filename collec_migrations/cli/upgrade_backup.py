"""A backup before an upgrade: nothing is touched without it, and a failure says how to use it."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from collec_migrations.errors import BackupDamaged, BackupMissing, MigrationError
from collec_migrations.migrate import access

if TYPE_CHECKING:
    from collec_migrations.migrate.planned import Plan

Say = Callable[[str], None]
FOLDER = "COLLEC_BACKUP_DIR"
"""The folder that the site uses for its backups."""


class Order(NamedTuple):
    """Where a backup goes, and whether it has to be restored for a trial."""

    into: Path | None
    verified: bool
    remark: str
    """What the history is told where there is none."""


def decided(found: "Plan", into: Path | None, *, no_backup: bool) -> Order:
    """Return which backup a plan needs; raise `BackupMissing` where none was named.

    From a step by a script of the application's own there is no other way back.
    """
    holds_something = any(pair.recorded for pair in found.pairs)
    if not (found.is_wrapped and holds_something):
        return Order(None if found.is_empty else into, verified=False, remark="")
    if no_backup:
        # Alembic and SQLAlchemy are loaded by now: there is something to do.
        from collec_migrations.migrate.wrapped_step import NO_BACKUP

        return Order(None, verified=False, remark=NO_BACKUP)
    into = into or (Path(os.environ[FOLDER]) if os.environ.get(FOLDER) else None)
    if into is None:
        raise BackupMissing(
            "a script of the application's own is to run, from which no downgrade leads back,"
            " and there is no folder for a backup",
            hint=f"Give --backup DIR, set {FOLDER}, or say --no-backup.",
        )
    return Order(into, verified=True, remark="")


@contextmanager
def before(options: Mapping[str, str], version: str, order: Order, *, say: Say) -> Iterator[str]:
    """Take a backup, when one is ordered, before the block runs; give a remark."""
    if order.into is None:
        yield order.remark
        return
    id_ = _taken(options, version, order.into, say)
    if order.verified:
        _verify(id_, order.into, say)
    try:
        yield f"backup {id_}"
    except MigrationError as error:
        restore = f"collec-migrations backup restore {id_} --into {shlex.quote(str(order.into))}"
        error.hint = (
            f"{error.hint} A backup was taken before: "
            f"`{restore} --to ADDRESS_OF_A_NEW_DATABASE` brings it back."
        ).strip()
        raise


def _taken(options: Mapping[str, str], version: str, into: Path, say: Say) -> str:
    """Return the id of a new backup; raise why there is none."""
    # A run that takes no backup does not pay for what one needs.
    from collec_migrations import backup

    address = access.address(access.told(options), say=say)
    names = backup.databases(address, database=None, all_of_them=False, say=say)
    how = backup.BackupOptions(into=into, reason=f"before the upgrade to {version}")
    outcome = backup.run(address, names, how, None, say=say, advance=lambda *_: None)
    for failure in outcome.failed:
        raise failure.error
    return outcome.made[0].id


def _verify(id_: str, into: Path, say: Say) -> None:
    """Restore the backup into a server made for it; raise `BackupDamaged` unless it is whole."""
    from collec_migrations import backup

    found = backup.verify(backup.find(into, id_))
    if not found.is_sound:
        raise BackupDamaged(
            f"the backup {id_} cannot be restored, nothing was upgraded: {found.problems[0]}",
            hint="Look at the disk, and take another one.",
        )
    say(f"verified {id_}: {found.rows:,} rows restored in {found.seconds:.1f} s")
