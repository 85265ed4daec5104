"""A former primary, or a standby of it, comes back as a standby of the new primary.

As it is where that is safe, else by pg_rewind, else as a new clone; never started before it is
marked as a standby.
"""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from collec_migrations.errors import CloneInProgress, ReplicationRefused, ServerFailed
from collec_migrations.postgres import files, pg_versions, signals
from collec_migrations.replica import (
    clone,
    clone_plan,
    follow,
    health,
    local_node,
    managers,
    nodes,
    primary_state,
    standby_config,
    streaming,
)
from collec_migrations.replica.clone_plan import CloneTarget
from collec_migrations.replica.follow import Choice, Method
from collec_migrations.replica.local_node import LocalNode as Machine
from collec_migrations.replica.nodes import NamedNode
from collec_migrations.replica.standby_config import StandbySpec
from collec_migrations.replica.states import Node, Up, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RejoinRequest:
    """Who is to come back, and how it is let in by the primary."""

    nodes: tuple[NamedNode, ...]
    name: str
    data: Path
    passfile: Path | None = None
    bin_dir: Path | None = None
    patience: float = 60.0
    """Seconds until it has to stream once it was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejoinPlan:
    """How it is to come back."""

    request: RejoinRequest
    spec: StandbySpec
    primary: Up
    local: Machine
    """Its folder, under the name that it has at this moment."""
    running: bool
    writes: bool
    """Whether it runs as a second primary at this moment."""
    choice: Choice | None
    """None: it follows the primary already."""
    killed: bool


def plan_rejoin(request: RejoinRequest) -> RejoinPlan:
    """Return how a folder may come back; nothing is touched.

    Raises ReplicationRefused when it may not: no single primary, another program in charge, the
    primary does not let it in, or it is newer than the primary; CloneInProgress while another
    rejoin of it is at work.
    """
    if _lock_path(request.data).exists():
        with _locked(request.data):
            pass
    return _planned(request)


def _planned(request: RejoinRequest) -> RejoinPlan:
    seen = nodes.read_nodes(request.nodes)
    primary = primary_for(request.name, seen)
    itself = next((one for one in seen if one.name == request.name and isinstance(one, Up)), None)
    spec = spec_for(request, primary)
    local = _local(request)
    follow.refuse_at_work(local)
    target = clone_plan.read_target(local)
    managers.refuse(target.managers, where=str(request.data))
    _refuse_others(target, primary, itself)
    managers.refuse(managers.by_rest(spec.host), where=spec.shown)
    with clone_plan.connected(spec) as source:
        managers.refuse(managers.on_server(source.connection), where=spec.shown)
        identity = streaming.identify(source.address)
    folder = follow.once_stopped(
        follow.folder_of(follow.control_data(local)), itself if target.running else None
    )
    choice = None
    if not (target.running and _follows(itself, primary)):
        with _or_clone(spec):
            choice = follow.choose(folder, identity)
            choice = follow.feasible(choice, primary.slot(spec.slot), local.major)
            if choice.method is Method.REWIND:
                follow.check_access(local, spec)
    return RejoinPlan(
        request=request,
        spec=spec,
        primary=primary,
        local=local,
        running=target.running,
        writes=target.running and itself is not None and not itself.in_recovery,
        choice=choice,
        killed=folder.was_killed,
    )


@contextmanager
def _or_clone(spec: StandbySpec) -> Iterator[None]:
    """Name, with a refusal, the clone that replaces the folder whatever it holds."""
    try:
        yield
    except ReplicationRefused as error:
        words = ["collec-migrations", "replica", "clone"]
        words += [f"host={spec.host} port={spec.port} user={spec.user}", "--data", str(spec.data)]
        words += ["--name", spec.name]
        words += ["--passfile", str(spec.passfile)] if spec.passfile else []
        command = shlex.join([*words, "--force", "--yes"])
        raise ReplicationRefused(
            str(error),
            hint=f"{error.hint}\n      If its data are not needed, stop it and clone it anew (its"
            f" folder is moved aside): {command}",
        ) from error


def _follows(itself: Up | None, primary: Up) -> bool:
    if itself is None or not itself.in_recovery:
        return False
    return health.report([primary, itself]).node(itself.name).verdict != Verdict.BROKEN


def _refuse_others(target: CloneTarget, primary: Up, itself: Up | None) -> None:
    """Refuse the folder of another node, and of all the primary's: it would be stopped."""
    at_once = target.started is not None and abs(target.started - primary.began) <= 1
    if at_once and target.port == primary.number("port"):
        raise ReplicationRefused(
            f"{target.data} is the folder of the primary, {primary.name}",
            hint="Run this on the machine of the node that is to come back.",
        )
    answer = itself.settings.get("data_directory") if itself else None
    if itself and answer and Path(answer).resolve() != target.data:
        raise ReplicationRefused(
            f"{itself.name} runs on {answer}, and not on {target.data}",
            hint="Give the folder and the --name of the same node.",
        )


def primary_for(name: str, seen: Sequence[Node]) -> Up:
    """Return the primary that a node is to follow: the only other one that takes writes."""
    found = [one for one in health.primaries(seen) if one.name != name]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ReplicationRefused(
            f"no node but {name} is a primary",
            hint="Promote one first: `replica promote`; see `replica status`.",
        )
    raise ReplicationRefused(
        "several nodes take writes: " + ", ".join(one.name for one in found),
        hint="Decide which is the right one, and stop the others first.",
    )


def spec_for(request: RejoinRequest, primary: Up) -> StandbySpec:
    """Return what a standby of this machine is to be."""
    address = next(one.address for one in request.nodes if one.name == primary.name)
    made = standby_config.standby_spec(
        address.dsn,
        request.data,
        name=request.name,
        passfile=request.passfile,
        source=f"the address of {primary.name}",
    )
    # The site's own role reads the state; a standby comes in as the one made for it.
    return replace(made, user=primary_state.REP, bin_dir=request.bin_dir, patience=request.patience)


def _local(request: RejoinRequest) -> Machine:
    """Return the folder, which an interrupted rejoin may have left under its other name."""
    data = request.data.resolve()
    away = follow.fenced_path(data)
    if os.path.lexists(away) and not os.path.lexists(data):
        return local_node.node_at(away, standby_config.major_of(away), bin_dir=request.bin_dir)
    return local_node.node_at(data, standby_config.major_of(data), bin_dir=request.bin_dir)


Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejoinResult:
    """How it came back."""

    method: Method | None
    timeline: int
    dropped: tuple[str, ...]
    """Slots that it had as a primary."""
    left: tuple[str, ...]
    """What is to be done by hand."""
    aside: Path | None = None
    """Where the former folder is, after a clone."""


def rejoin_standby(plan: RejoinPlan, *, say: Say) -> RejoinResult:
    """Bring a folder back as a plan says, if it still has to be.

    Raises MigrationError when it does not come back; it can then start as a standby, or not at
    all, never as a second primary.
    """
    with _locked(plan.request.data):
        now = _planned(plan.request)  # another one may have ended since
        if now.choice and plan.choice and now.choice.method is not plan.choice.method:
            raise ReplicationRefused(
                f"it would now be: {now.choice.method.value} ({now.choice.why})",
                hint="The nodes changed since the plan was made: run it again.",
            )
        return _rejoined(now, say)


def _lock_path(data: Path) -> Path:
    """Return the path beside the folder, which is renamed on the way."""
    return data.resolve().with_name(f".{data.name}.rejoin-lock")


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Keep another rejoin of the same folder out; raise CloneInProgress when there is one."""
    path = _lock_path(data)
    descriptor = files.take_lock(path)
    if descriptor is None:
        raise CloneInProgress(f"another rejoin of {data} is at work", hint="Wait for its end.")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _rejoined(plan: RejoinPlan, say: Say) -> RejoinResult:
    if plan.choice is None:
        return _done(plan, None)
    if plan.running:
        say(f"stopping the server in {plan.local.data}")
        local_node.stop(plan.local)
    method = plan.choice.method
    if plan.running and method is Method.ATTACH:
        method = _decided(plan)  # what it wrote until it stopped counts as well
    if method is Method.REWIND:
        return _rewind(plan, say)
    local = _placed(plan, plan.local)
    return _attach(plan, local, say) if method is Method.ATTACH else _clone(plan, local, say)


def _decided(plan: RejoinPlan) -> Method:
    with clone_plan.connected(plan.spec) as source:
        identity = streaming.identify(source.address)
    return follow.choose(follow.folder_of(follow.control_data(plan.local)), identity).method


def _attach(plan: RejoinPlan, local: Machine, say: Say) -> RejoinResult:
    if follow.try_to_follow(local, plan.spec, plan.primary, say=say):
        return _done(plan, Method.ATTACH)
    if pg_versions.text("pg_rewind", local.major) is None:
        return _clone(plan, local, say)
    follow.check_access(local, plan.spec)
    return _rewind(replace(plan, local=local, killed=False), say)


def _rewind(plan: RejoinPlan, say: Say) -> RejoinResult:
    data, local = plan.spec.data, plan.local
    # A program that works on the folder must not be left behind by a signal.
    with signals.ignored():
        if local.data == data:
            if plan.killed:
                say("it was killed: recovering it first, alone")
                follow.recover(local)
            local = follow.fence(local)
        say(f"rewinding {data} to the history of {plan.primary.name}")
        try:
            follow.rewind(local, plan.spec)
            is_rewound = True
        except ServerFailed as error:
            say(f"it cannot be rewound: {error} ({error.hint})")
            is_rewound = False
        local = _placed(plan, local)
    if is_rewound and follow.try_to_follow(local, plan.spec, plan.primary, say=say):
        return _done(plan, Method.REWIND)
    return _clone(plan, local, say)


def _placed(plan: RejoinPlan, local: Machine) -> Machine:
    """Give a fenced folder its configuration and its name again, marked as a standby."""
    if local.data == plan.spec.data:
        return local
    follow.restore(local, plan.spec.data)
    follow.mark_as_standby(local, plan.spec)
    return follow.unfence(local, plan.spec.data)


def _clone(plan: RejoinPlan, local: Machine, say: Say) -> RejoinResult:
    """Clone anew; the old folder, marked as a standby, is moved aside only when that is done."""
    follow.mark_as_standby(local, plan.spec)
    say("cloning it anew")
    with clone_plan.connected(plan.spec) as source:
        streaming.drop_slot(source.connection, plan.spec.slot)
    port = local_node.setting(local, "port")
    listen = local_node.setting(local, "listen_addresses")
    spec = replace(plan.spec, own_port=int(port), own_listen=listen, replace=True)
    done = clone.make_clone(spec, say=say, advance=lambda _done, _total: None)
    return replace(_done(plan, Method.CLONE), aside=done.aside)


def _done(plan: RejoinPlan, method: Method | None) -> RejoinResult:
    named = next((one for one in plan.request.nodes if one.name == plan.request.name), None)
    dropped: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    if named is not None:
        names = [standby_config.slot_of(one.name) for one in plan.request.nodes]
        dropped, left = follow.drop_stale_slots(named, names)
    return RejoinResult(
        method=method, timeline=plan.primary.timeline or 0, dropped=dropped, left=left
    )
