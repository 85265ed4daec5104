"""One run: every database that was asked for, one after the other, then what is too old."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from collec_migrations.backup import (
    databases,
    dump,
    libpq_environment,
    lock,
    retention,
    store,
)
from collec_migrations.backup.dump import Wish
from collec_migrations.backup.manifest import Manifest
from collec_migrations.backup.retention import Policy
from collec_migrations.errors import BackupFailed, MigrationError
from collec_migrations.postgres import sizes
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.sizes import Advance

LOG = "backup.log"
Say = Callable[[str], None]
Task = Callable[[Manifest], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A database that was not backed up."""

    database: str
    error: MigrationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did."""

    made: tuple[Manifest, ...]
    failed: tuple[Failure, ...]
    removed: tuple[str, ...]


def run(
    address: Address,
    names: Sequence[str],
    wish: Wish,
    policy: Policy | None,
    *,
    after: Sequence[Task] = (),
    say: Say,
    advance: Advance,
) -> Outcome:
    """Back up each of these databases; without a policy nothing is removed.

    A database that fails does not stop the others, and nothing of it is removed. `after` is done
    for each backup; it does not undo one when it fails.
    """
    store.prepare(wish.into)
    made: list[Manifest] = []
    failed: list[Failure] = []
    with (
        translated(BackupFailed, "the backup could not be made"),
        lock.held(wish.into) as descriptor,
    ):
        store.sweep(wish.into)
        log = _logger(wish.into, say)
        for name in names:
            log(f"start {name!r}")
            began = monotonic()
            try:
                done = dump.take(
                    libpq_environment.to(address, name), wish, lock=descriptor, advance=advance
                )
                made.append(done)
                size = sizes.shown(done.size)
                log(f"end {name!r} in {monotonic() - began:.1f} s: {done.id}, {size}")
                for task in after:
                    task(done)
            except MigrationError as error:
                failed.append(Failure(database=name, error=error))
                hint = f" ({error.hint})" if error.hint else ""
                log(f"FAILED {name!r} after {monotonic() - began:.1f} s: {error}{hint}")
        removed = retired(wish.into, policy, [one.database for one in made], log)
    return Outcome(made=tuple(made), failed=tuple(failed), removed=removed)


def names_on(address: Address, *, database: str | None, all_of_them: bool) -> tuple[str, ...]:
    """Return the databases that were asked for: one, all, or the one of the address."""
    with translated(BackupFailed, "the databases could not be read"):
        if all_of_them:
            return databases.names(address)
    return (database or databases.name_of(address),)


def retired(
    folder: Path, policy: Policy | None, databases: Sequence[str], log: Say
) -> tuple[str, ...]:
    """Remove what the policy no longer needs of these databases; the caller holds the lock."""
    if policy is None:
        return ()
    removed = []
    for id_ in superfluous(folder, policy, databases):
        if store.remove(folder, id_):
            removed.append(id_)
            log(f"removed {id_}")
        else:
            log(f"kept {id_}: it is being read")
    return tuple(removed)


def superfluous(
    folder: Path, policy: Policy, databases: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the backups that a policy no longer needs."""
    whole, _ = store.backups(folder)
    counted = [one.kept for one in whole if databases is None or one.manifest.database in databases]
    return retention.to_remove(counted, policy)


def _logger(folder: Path, say: Say) -> Say:
    """Return a function that writes a line into the log of a folder, and tells it."""

    def log(line: str) -> None:
        say(line)
        stamp = datetime.now().astimezone().isoformat(timespec="seconds")
        # A disk without room for a line must not stop the run: it was told all the same.
        with suppress(OSError):
            descriptor = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{stamp} {line}\n")

    return log
