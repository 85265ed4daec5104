"""Make a standby: copy, prove, configure, start, wait until it streams; or leave nothing behind."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from collec_migrations.errors import (
    CloneInProgress,
    ConnectionFailed,
    MigrationError,
    ReplicationFailed,
    ReplicationRefused,
)
from collec_migrations.postgres import files, programs, signals
from collec_migrations.postgres.connection import Connection, translated
from collec_migrations.postgres.sizes import Advance
from collec_migrations.replica import (
    basebackup,
    clone_plan,
    local_node,
    primary_state,
    standby_config,
    streaming,
)
from collec_migrations.replica.clone_plan import ClonePlan, Source, TargetKind
from collec_migrations.replica.local_node import LocalNode
from collec_migrations.replica.standby_config import StandbySpec
from collec_migrations.replica.streaming import Goal


@contextmanager
def undone_on_failure() -> Iterator[ExitStack]:
    """Give a stack of what takes things back, which is done when the block fails.

    What cannot be taken back is told with the failure, and does not keep the rest from it.
    """
    undo = ExitStack()
    try:
        yield undo
    except BaseException as error:
        with signals.ignored():
            left = _taken_back(undo)
        if left and isinstance(error, MigrationError):
            hint = "\n      ".join(one for one in (error.hint, left.hint) if one)
            raise type(error)(f"{error}; {left}", hint=hint) from error
        raise
    undo.pop_all()


def _taken_back(undo: ExitStack) -> MigrationError | None:
    try:
        undo.close()
    except MigrationError as error:
        return error
    except OSError as error:
        return ReplicationFailed(f"{(error.strerror or str(error)).lower()}: {error.filename}")
    return None


MAKE_IT = "Make it, for the account of the server."


Begun = tuple[str, int, str]
"""What a former run made and did not take back: the slot, on this host and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The open file of a clone."""

    path: Path
    descriptor: int

    def begin(self, spec: StandbySpec) -> None:
        """Write what is about to be made, before it is."""
        facts = {"host": spec.host, "port": spec.port, "slot": spec.slot}
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(facts).encode(), 0)
        os.fsync(self.descriptor)

    def end(self) -> None:
        """Forget it: all of it was made, or taken back."""
        self.path.unlink(missing_ok=True)


def journal_path(spec: StandbySpec) -> Path:
    """Return where the journal of a clone is."""
    return spec.data.with_name(f"{spec.data.name}.cloning")


@contextmanager
def open_journal(spec: StandbySpec) -> Iterator[Journal]:
    """Give the journal, which is locked; raise CloneInProgress when somebody else has it."""
    path = journal_path(spec)
    if not path.parent.is_dir():
        raise ReplicationRefused(f"{path.parent} is not there", hint=MAKE_IT)
    descriptor = files.take_lock(path)
    if descriptor is None:
        raise CloneInProgress(
            f"another clone into {spec.data} is at work",
            hint="Wait for its end; a copy goes on for a moment when its run was killed.",
        )
    try:
        yield Journal(path=path, descriptor=descriptor)
    finally:
        if os.fstat(descriptor).st_size == 0:  # nothing was begun
            path.unlink(missing_ok=True)
        os.close(descriptor)


def clear_leftovers(journal: Journal, spec: StandbySpec, source: Source) -> bool:
    """Remove what a killed run left, also its slot; tell whether there was something."""
    begun = _recorded(journal)
    if begun is None:
        if os.path.lexists(spec.partial):
            raise ReplicationRefused(
                f"{spec.partial} is there, and no clone of ours began it",
                hint="Move it away: a clone is made under that name.",
            )
        return False
    is_partial = os.path.lexists(spec.partial)
    basebackup.remove(spec.partial)
    host, port, slot = begun
    if (host, port) != (spec.host, spec.port):
        raise ReplicationRefused(
            f"a killed run left the slot {slot!r} on {host}:{port}",
            hint=f"{streaming.left_slot_hint(slot)} Then remove {journal_path(spec)}.",
        )
    if is_partial:
        streaming.drop_slot(source.connection, slot)
    else:  # the copy was complete: the standby may use it by now
        streaming.drop_unused_slot(source.connection, slot)
    os.truncate(journal.descriptor, 0)
    return True


def _recorded(journal: Journal) -> Begun | None:
    try:
        facts = json.loads(os.pread(journal.descriptor, 10_000, 0))
        return str(facts["host"]), int(facts["port"]), str(facts["slot"])
    except (ValueError, KeyError, TypeError):
        return None


def make_slot(found: ClonePlan, connection: Connection) -> bool:
    """Make the slot, unless the standby that is replaced left a good one; tell whether we did."""
    spec = found.spec
    if clone_plan.owns_slot(spec, found.primary, found.target):
        if streaming.slot_is_usable(connection, spec.slot):
            return False
        streaming.drop_unused_slot(connection, spec.slot)
    streaming.create_slot(connection, spec.slot)
    return True


def forget_slot(spec: StandbySpec, journal: Journal) -> None:
    """Drop the slot, by a new connection; the journal stays for the next run when that fails."""
    try:
        with clone_plan.connected(spec) as again:
            streaming.drop_slot(again.connection, spec.slot)
    except ConnectionFailed as error:
        raise ReplicationFailed(
            f"the slot {spec.slot!r} is still on {spec.shown}: {error}",
            hint=f"{streaming.left_slot_hint(spec.slot)} "
            "The next clone into this folder does it, too.",
        ) from error
    if not os.path.lexists(spec.partial):
        journal.end()


Say = Callable[[str], None]
FAILED = "the clone could not be made"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneResult:
    """A standby that streams."""

    plan: ClonePlan
    aside: Path | None
    """Where the folder that was there has gone."""
    raised: tuple[str, ...]
    """Settings that the standby has higher than its files say, as the primary has them."""
    asked: bool
    """Whether the standby itself told that it receives; else only its slot did."""
    seconds: float


def plan_clone(spec: StandbySpec) -> ClonePlan:
    """Return what a clone would be, and all that is in its way; touches nothing."""
    with translated(ReplicationFailed, FAILED), clone_plan.connected(spec) as source:
        return clone_plan.read_plan(source, spec)


def make_clone(spec: StandbySpec, *, say: Say, advance: Advance) -> CloneResult:
    """Make a standby that streams.

    Raises ReplicationRefused with all that blocks it before anything is touched; on any
    failure, and on a signal, what was made is gone again: the copy, the slot, the server; a folder
    that was moved aside is back.
    """
    began = monotonic()
    with (
        translated(ReplicationFailed, FAILED),
        signals.raised(),
        open_journal(spec) as journal,
        clone_plan.connected(spec) as source,
    ):
        if clear_leftovers(journal, spec, source):
            say("cleared what a killed run had left")
        found = clone_plan.read_plan(source, spec)
        _refuse(found)
        return _made(found, source.connection, journal, began, say=say, advance=advance)


def _made(
    found: ClonePlan,
    connection: Connection,
    journal: Journal,
    began: float,
    *,
    say: Say,
    advance: Advance,
) -> CloneResult:
    spec, node = found.spec, found.node
    with undone_on_failure() as undo, translated(ReplicationFailed, FAILED):
        _begin(found, connection, journal, undo)
        _copy(found, journal, say=say, advance=advance)
        goal = Goal(
            slot=spec.slot, position=streaming.current_lsn(connection), timeline=found.timeline
        )
        aside = _placed(found, undo)
        raised = _configured(found)
        say(f"starting the standby in {spec.data}")
        undo.callback(local_node.stop, node, "immediate")
        local_node.start(node)
        asked = streaming.wait_for_stream(connection, node, goal, patience=spec.patience)
        journal.end()
    seconds = monotonic() - began
    return CloneResult(plan=found, aside=aside, raised=raised, asked=asked, seconds=seconds)


def _refuse(found: ClonePlan) -> None:
    if found.obstacles:
        raise ReplicationRefused(
            "\n".join(
                ("the clone cannot be made:", *(f"  {one.message}" for one in found.obstacles))
            ),
            hint="\n      ".join(dict.fromkeys(one.hint for one in found.obstacles)),
        )


def _begin(found: ClonePlan, connection: Connection, journal: Journal, undo: ExitStack) -> None:
    """Make the slot and the folder, noted before they are there."""
    spec = found.spec
    journal.begin(spec)
    with signals.held():
        try:
            made = make_slot(found, connection)
        except BaseException:
            journal.end()
            raise
        undo.callback(*(forget_slot, spec, journal) if made else (journal.end,))
        _make_folder(spec.partial, found.node)
        undo.callback(basebackup.remove, spec.partial)


def _copy(found: ClonePlan, journal: Journal, *, say: Say, advance: Advance) -> None:
    """Copy the primary, prove the copy, and make it a standby before it has its name."""
    spec, node = found.spec, found.node
    say(f"copying {spec.shown} into {spec.partial}")
    basebackup.copy(
        node,
        spec.partial,
        found.upstream,
        found.primary.databases + primary_state.WAL_SEGMENT,
        lock=journal.descriptor,
        silence=spec.silence,
        advance=advance,
    )
    if basebackup.verify(node, spec.partial):
        say("the copy is what the primary sent (pg_verifybackup)")
    # Not the log of another server's start.
    programs.run(
        ("/bin/rm", "-f", "--", spec.partial / local_node.LOG),
        account=node.account,
        folder=Path("/"),
    )
    standby_config.write_standby(spec.partial, found.upstream)
    if node.debian is None and not (spec.partial / "postgresql.conf").exists():
        raise ReplicationFailed(
            "the primary keeps its configuration outside of its data folder (Debian), and this"
            f" machine has none for {spec.data}",
            hint=f"Make one first: pg_createcluster {node.major} main -d {spec.data}; then clone"
            " with --force.",
        )


def _make_folder(folder: Path, node: LocalNode) -> None:
    folder.mkdir(mode=0o700)
    if not node.account.is_caller:
        os.chown(folder, node.account.uid, node.account.gid, follow_symlinks=False)


def _placed(found: ClonePlan, undo: ExitStack) -> Path | None:
    """Give the copy its name; return where the folder that had it has gone."""
    spec = found.spec
    aside = None
    with signals.held():
        if found.target.kind is TargetKind.CLUSTER:
            stamp = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S")
            aside = spec.data.with_name(f"{spec.data.name}.before-{stamp}")
            if os.path.lexists(aside):
                raise ReplicationFailed(f"{aside} is there already", hint="Try again.")
            spec.data.rename(aside)
            undo.callback(aside.rename, spec.data)
        elif found.target.kind is TargetKind.EMPTY:
            undo.callback(_make_folder, spec.data, found.node)
        # An empty folder gives way; what was put there meanwhile does not.
        spec.partial.rename(spec.data)
        undo.callback(basebackup.remove, spec.data)
    return aside


def _configured(found: ClonePlan) -> tuple[str, ...]:
    """Give the standby its own settings, and those in which it may not be below the primary."""
    spec, node, primary = found.spec, found.node, found.primary
    own = {} if spec.own_port is None else {"port": str(spec.own_port)}
    own |= {} if spec.own_listen is None else {"listen_addresses": spec.own_listen}
    standby_config.write_settings(spec.data, own)
    names = standby_config.guarded_settings(primary.major)
    running = {name: primary.number(name) for name in names}
    raised = standby_config.raised_settings(
        running, {name: int(local_node.setting(node, name)) for name in names}
    )
    standby_config.write_settings(spec.data, raised)
    return tuple(raised)
