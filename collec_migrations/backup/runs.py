"""One run: every database that was asked for, one after the other, then what is too old."""

from collections.abc import Callable, Collection, Sequence
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
from collec_migrations.postgres import files, sizes
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
        log = _logger(wish.into, say)
        for line in store.sweep(wish.into):
            log(line)
        for name in names:
            log(f"start {name!r}")
            began = monotonic()
            try:
                done = dump.take(
                    libpq_environment.to(address, name), wish, lock=descriptor, advance=advance
                )
                made.append(done)
                before = [one for one in store.backups(wish.into)[0]
                          if one.manifest.origin == done.origin
                          and one.manifest.age_key < done.age_key
                          and one.manifest.started > done.started]  # fmt: skip
                for one in before[:1]:
                    log(f"the clock went back: {one.id} was taken before {done.id}")
                size = sizes.shown(done.size)
                log(f"end {name!r} in {monotonic() - began:.1f} s: {done.id}, {size}")
                for fall in done.falls:
                    log(f"ROWS FELL in {name!r}: {fall}")
                for task in after:
                    task(done)
            except MigrationError as error:
                failed.append(Failure(database=name, error=error))
                hint = f" ({error.hint})" if error.hint else ""
                log(f"FAILED {name!r} after {monotonic() - began:.1f} s: {error}{hint}")
        removed = retired(wish.into, policy, made, log)
    return Outcome(made=tuple(made), failed=tuple(failed), removed=removed)


def names_on(
    address: Address, *, database: str | None, all_of_them: bool, say: Say
) -> tuple[str, ...]:
    """Return the databases that were asked for: one, all, or the one of the address."""
    with translated(BackupFailed, "the databases could not be read"):
        if all_of_them:
            return databases.names(address, say)
    return (database or databases.name_of(address),)


def retired(
    folder: Path, policy: Policy | None, made: Sequence[Manifest], log: Say
) -> tuple[str, ...]:
    """Remove what the policy no longer needs beside these; the caller holds the lock.

    Nothing of a database whose rows fell, until somebody looked, and never what was just made.
    """
    if policy is None:
        return ()
    removed = []
    just_made = {one.id for one in made}
    origins = {one.origin for one in made}
    for one in store.backups(folder)[0]:
        if one.is_fallen and one.manifest.origin in origins:
            origins.discard(one.manifest.origin)
            log(
                f"nothing of {one.manifest.database!r} is removed: the rows fell in {one.id}; "
                "look at it, then: collec-migrations backup prune --yes"
            )
    for id_ in superfluous(folder, policy, origins):
        if id_ in just_made:
            continue
        why = store.remove(folder, id_)
        if why:
            log(f"kept {id_}: {why}")
        else:
            removed.append(id_)
            log(f"removed {id_}")
    return tuple(removed)


def superfluous(
    folder: Path, policy: Policy, origins: Collection[tuple[str, str]] | None = None
) -> tuple[str, ...]:
    """Return the backups that a policy no longer needs, of these servers' databases or of all."""
    whole, _ = store.backups(folder)
    counted = [one.kept for one in whole if origins is None or one.manifest.origin in origins]
    return retention.to_remove(counted, policy, now=datetime.now().astimezone())


def log_failure(folder: Path, error: MigrationError, say: Say) -> None:
    """Write into the log of a folder that a run did not come to its first database."""
    store.prepare(folder)
    _logger(folder, say)(f"FAILED before the first database: {error}")


def _logger(folder: Path, say: Say) -> Say:
    """Return a function that writes a line into the log of a folder, and tells it."""

    def log(line: str) -> None:
        say(line)
        stamp = datetime.now().astimezone().isoformat(timespec="seconds")
        # A disk without room for a line must not stop the run: it was told all the same.
        with suppress(OSError):
            files.append(folder / LOG, f"{stamp} {line}\n")

    return log
