"""Adopt, upgrade and verify a copy, and measure it."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from collec_migrations import versions
from collec_migrations.backup import (
    integrity,
    lock,
    lock_watch,
    rehearsal_measures,
    runs,
    store,
    trial_restore,
)
from collec_migrations.backup.dump import Wish
from collec_migrations.backup.rehearsal_measures import Copy
from collec_migrations.backup.rehearsal_result import Findings
from collec_migrations.backup.store import Backup
from collec_migrations.bridge import adoption, detection
from collec_migrations.bridge.difference import Difference, Severity
from collec_migrations.errors import BackupFailed, Interrupted, MigrationError
from collec_migrations.migrate import planning, verbs
from collec_migrations.migrate.wrapped_step import ON_A_COPY
from collec_migrations.names import Names
from collec_migrations.postgres import conninfo, kept_server, temporary
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.kept_server import Kept

Say = Callable[[str], None]


def check_target(version: str) -> None:
    """Raise `UnknownVersion` for what is no version of the chain, before anything is copied."""
    planning.check_version(version, versions.in_chain())


@contextmanager
def dumped(address: conninfo.Address, scratch: Path | None) -> Iterator[Backup]:
    """Give a backup of a database for this block; the database is only read."""
    with temporary.private(scratch) as folder:
        names = runs.names_on(address, database=None, all_of_them=False, say=_quiet)
        wish = Wish(into=folder, reason="rehearsal")
        outcome = runs.run(address, names, wish, None, say=_quiet, advance=_still)
        for failure in outcome.failed:
            raise failure.error
        yield store.load(folder / outcome.made[0].id)


@contextmanager
def stored(folder: Path, id: str) -> Iterator[Backup]:  # noqa: A002  (as the command line calls it)
    """Give a backup, whole, that nobody removes in this block; raise `Damaged` if it is not."""
    backup = store.find(folder, id)
    with ExitStack() as stack:
        with translated(BackupFailed, f"{backup.id} could not be read"):
            stack.enter_context(lock.reading(backup.path))
            integrity.refuse_damaged(backup)
        yield backup


@contextmanager
def copied(backup: Backup, scratch: Path | None) -> Iterator[Copy]:
    """Give a copy that is gone at the end."""
    chosen, began = trial_restore.server_for(backup.manifest), monotonic()
    with trial_restore.restored(backup, chosen, scratch) as address:
        yield _copy(address, backup, chosen.version, began)


def keep(backup: Backup, scratch: Path | None) -> tuple[Copy, Kept]:
    """Make a copy that stays, on a server of its own."""
    chosen, began = trial_restore.server_for(backup.manifest), monotonic()
    trial_restore.check_room(backup, scratch)
    server = kept_server.start(chosen, scratch)
    try:
        address = trial_restore.fill(backup, chosen, server.address)
    except BaseException:
        subprocess.run(("/bin/sh", "-c", server.ending), capture_output=True, check=False)
        raise
    return _copy(address, backup, chosen.version, began), server


def rehearse(copy: Copy, target: str, named: Sequence[Names] = (), *, say: Say) -> Findings:
    """Bring the copy to a version as `adopt` and `upgrade` do, and return what was found out."""
    pairs = tuple(named) or _found(copy)
    before, tables = rehearsal_measures.measured(copy, pairs), rehearsal_measures.tables(copy)
    names = {oid: name for oid, (name, _) in tables.items()}
    attempt = Attempt()
    with lock_watch.watched(copy.address.dsn, names) as seen:
        try:
            _attempt(attempt, copy, pairs, target, say)
        except Interrupted:
            raise
        except MigrationError as error:
            attempt.refusal, attempt.hint = str(error), error.hint
    left = () if attempt.refusal else rehearsal_measures.drift(copy, pairs)
    if any(one.severity is Severity.BREAKS for one in left):
        attempt.refusal = "the upgraded copy is not what its version should be"
        attempt.hint = left[0].sentence
    return Findings(
        source=copy.source,
        server_version=copy.server_version,
        target=target,
        refusal=attempt.refusal,
        hint=attempt.hint,
        before=before,
        after=rehearsal_measures.measured(copy, pairs),
        copying=copy.seconds,
        seconds=attempt.seconds,
        adopted=attempt.adopted,
        steps=()
        if attempt.refusal
        else tuple(rehearsal_measures.steps(copy, pairs, attempt.began)),
        held=seen.held,
        drift=attempt.drift,
        left=left,
        tables=tuple(rehearsal_measures.compared(tables, rehearsal_measures.tables(copy))),
        archived=attempt.archived,
    )


@dataclass(slots=True, kw_only=True)
class Attempt:
    """How far an upgrade of the copy came."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    refusal: str = ""
    hint: str = ""
    seconds: float = 0.0
    adopted: bool = False
    drift: tuple[Difference, ...] = ()
    archived: tuple[str, ...] = ()


def _attempt(attempt: Attempt, copy: Copy, pairs: Sequence[Names], target: str, say: Say) -> None:
    """Do what a site would do, and write down how far it came."""
    attempt.drift = rehearsal_measures.drift(copy, pairs)
    attempt.adopted = _adopted(copy, pairs)
    attempt.archived = tuple(_archived(copy, pairs, target, say))
    began = monotonic()
    try:
        for options in _options(copy, pairs):
            verbs.upgrade(options, target, say=say, remark=ON_A_COPY)
    finally:
        attempt.seconds = monotonic() - began


def _copy(address: Address, backup: Backup, version: str, began: float) -> Copy:
    about = backup.manifest
    origin = f"database {about.database!r}"
    if about.reason != "rehearsal":
        origin = f"backup {backup.id} of {origin}"
    return Copy(
        address=address,
        source=origin,
        server_version=version,
        seconds=monotonic() - began,
    )


def _found(copy: Copy) -> tuple[Names, ...]:
    with rehearsal_measures.connected(copy) as connection:
        return detection.find(connection).pairs or (Names(),)


def _adopted(copy: Copy, pairs: Sequence[Names]) -> bool:
    """Put under Alembic's care what is not; return whether there was anything."""
    done = False
    with rehearsal_measures.connected(copy) as connection:
        for names in pairs:
            if not detection.detect(connection, names).records.alembic:
                adoption.adopt(connection, names)
                connection.commit()
                done = True
    return done


def _options(copy: Copy, pairs: Sequence[Names]) -> Iterator[dict[str, str]]:
    """Yield the options of one upgrade for each rights schema, with its data schemas."""
    for gacl in dict.fromkeys(names.gacl for names in pairs):
        cols = [names.col.replace('"', '""') for names in pairs if names.gacl == gacl]
        quoted = ",".join(f'"{col}"' for col in cols)
        yield {"url": copy.address.url, "gacl": gacl, "col": quoted}


def _archived(copy: Copy, pairs: Sequence[Names], target: str, say: Say) -> Iterator[str]:
    for options in _options(copy, pairs):
        for pair in verbs.plan(options, target, say=say).pairs:
            for one in filter(lambda it: it.rows, pair.archived):
                what = f"{one.table}.{one.column}" if one.column else one.table
                yield f"{what}: {one.rows} {'values' if one.column else 'rows'}"


def _quiet(_: str) -> None:
    """Say nothing."""


def _still(_done: int, _total: int) -> None:
    """Show nothing."""
