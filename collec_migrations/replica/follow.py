"""How a stopped data folder comes to follow a primary: as it is, rewound, or cloned anew.

The rule is that of repmgr (facts 4.4): the folder must hold nothing that its primary's history
does not have. While pg_rewind works the folder has another name, so that nothing that starts
servers (systemd, a colleague) can start it as a second primary: pg_rewind removes
`standby.signal`. It also copies the primary's configuration over the folder's own (facts 4.4),
which is put aside first.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from psycopg2.extensions import make_dsn

from collec_migrations.errors import (
    ConnectionFailed,
    MigrationError,
    ReplicationFailed,
    ReplicationRefused,
    ServerFailed,
)
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import password as postgres_password
from collec_migrations.postgres import pg_versions, programs
from collec_migrations.replica import (
    clone_plan,
    local_node,
    primary_state,
    standby_config,
    states,
    streaming,
)
from collec_migrations.replica.local_node import LocalNode
from collec_migrations.replica.nodes import NamedNode
from collec_migrations.replica.standby_config import DATABASE, StandbySpec
from collec_migrations.replica.states import Slot, Up
from collec_migrations.replica.streaming import Goal, Identity

OWN = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")
"""What a node keeps of its own; on Debian all but one are in /etc."""


def fenced_path(data: Path) -> Path:
    """Return where a folder is while it is rewound."""
    return data.with_name(f"{data.name}.rejoining")


def kept_path(data: Path) -> Path:
    """Return where a folder's own configuration is while it is rewound."""
    return data.with_name(f"{data.name}.rejoining-conf")


def control_data(node: LocalNode) -> Mapping[str, str]:
    """Return what pg_controldata tells of a folder, by its English names."""
    rows = (line.partition(":") for line in node.run("pg_controldata", node.data).splitlines())
    return {name.strip(): value.strip() for name, _, value in rows}


def recover(node: LocalNode) -> None:
    """Let a primary that was killed come to a clean stop, alone: nobody can connect meanwhile.

    pg_rewind wants it so; it does this by itself from 13 on only. Raises ReplicationFailed.
    """
    local_node.wait_for_reaper(node.data)
    try:
        node.run("postgres", "--single", *node.configured, "template1")
    except ServerFailed as error:
        raise ReplicationFailed(
            f"the server in {node.data} does not recover", hint=error.hint
        ) from error


def check_access(node: LocalNode, spec: StandbySpec) -> None:
    """Raise ReplicationRefused when pg_rewind would not be let in: a clone is not due for that."""
    file = standby_config.passfile_of(spec, node.account)
    key = (spec.host, str(spec.port), DATABASE, primary_state.REWIND)
    password = postgres_password.lookup_password(standby_config.read_owned(file, node.account), key)
    hint = f"{file} needs the line {spec.host}:{spec.port}:*:{primary_state.REWIND}:PASSWORD; "
    hint += "the role and its rights come from `replica primary`, as does the line of pg_hba.conf."
    if password is None:
        raise ReplicationRefused(f"{file} has no line for {':'.join(key)}", hint=hint)
    try:
        database.connect(replace(spec, user=primary_state.REWIND).address(password)).close()
    except ConnectionFailed as error:
        raise ReplicationRefused(f"pg_rewind is not let in: {error}", hint=hint) from error


def refuse_at_work(node: LocalNode) -> None:
    """Raise ReplicationRefused while a pg_rewind of a killed run still works on the folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has just ended
            continue
        if os.fsencode(node.data) in words and any(b"pg_rewind" in word for word in words):
            raise ReplicationRefused(
                f"pg_rewind still works on {node.data} (process {process.name})",
                hint="A killed run left it behind: wait for its end, or end it.",
            )


def fence(node: LocalNode) -> LocalNode:
    """Put the configuration aside and give the folder its other name; return it as it is then."""
    away, kept = fenced_path(node.data), kept_path(node.data)
    if os.path.lexists(away):
        raise ReplicationRefused(
            f"{away} is there already beside {node.data}",
            hint="It is what an interrupted rejoin left: move one of the two away.",
        )
    try:
        if not kept.is_dir():
            kept.mkdir(mode=0o700)
            os.chown(kept, node.account.uid, node.account.gid)
        _copy_configuration(node, node.data, kept)
        node.data.rename(away)
    except OSError as error:
        raise ReplicationFailed(
            f"{node.data} cannot be renamed: {(error.strerror or str(error)).lower()}",
            hint="While it is rewound it must not be startable: run this as root, and not on a "
            "mount point.",
        ) from error
    return replace(node, data=away)


def rewind(node: LocalNode, spec: StandbySpec) -> str:
    """Run pg_rewind on a fenced folder; return what it said.

    Raises ServerFailed when it is not possible: the folder is then no longer usable as it was.
    """
    options = ("-D", node.data, f"--source-server={rewind_source(node.major, spec)}")
    return programs.run(
        (node.binaries.program("pg_rewind"), *options), account=node.account, folder=Path("/")
    )


def rewind_source(major: str, spec: StandbySpec) -> str:
    """Return the address that pg_rewind reads from; there is no password in it."""
    pairs = {"host": spec.host, "port": str(spec.port), "user": primary_state.REWIND}
    pairs |= {"dbname": DATABASE, **standby_config.KEEPALIVES}
    if spec.passfile and pg_versions.holds("conninfo_passfile_keyword", major):
        pairs["passfile"] = str(spec.passfile)
    return str(make_dsn(**pairs, **dict(spec.security)))


def restore(node: LocalNode, data: Path) -> None:
    """Give a fenced folder its own configuration back; what it had none of stays."""
    kept = kept_path(data)
    if kept.is_dir():
        _copy_configuration(node, kept, node.data)


def unfence(node: LocalNode, data: Path) -> LocalNode:
    """Give a folder its name again, once it can only start as a standby."""
    node.data.rename(data)
    kept = kept_path(data)
    for name in OWN:
        (kept / name).unlink(missing_ok=True)
    if kept.is_dir():
        kept.rmdir()
    return replace(node, data=data)


def _copy_configuration(node: LocalNode, source: Path, target: Path) -> None:
    for name in OWN:
        if (source / name).is_file():
            standby_config.write_owned(
                target / name,
                standby_config.read_owned(source / name, node.account),
                node.account,
            )


def read_markers(node: LocalNode) -> Mapping[str, str | None]:
    """Return the text of these files by their names, None for one that is not there."""
    names = {pg_versions.text("standby_marker", node.major), configuration_file(node.major)}
    return {
        name: standby_config.read_owned(node.data / name, node.account)
        if (node.data / name).is_file()
        else None
        for name in sorted(name for name in names if name)
    }


def write_markers(node: LocalNode, before: Mapping[str, str | None]) -> None:
    """Put these files back as they were; raises ServerFailed."""
    for name, text in before.items():
        if text is None:
            command = ("rm", "-f", "--", str(node.data / name))
            programs.run(command, account=node.account, folder=Path("/"))
        else:
            standby_config.write_owned(node.data / name, text, node.account)


def configuration_file(major: str) -> str:
    """Return the file that holds the settings of a standby."""
    return pg_versions.text("recovery_settings_file", major) or ""


class Method(Enum):
    """How a folder comes to follow a primary."""

    ATTACH = "attach it as it is"
    REWIND = "rewind it (pg_rewind)"
    CLONE = "clone it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What pg_controldata tells of a stopped data folder."""

    system: str
    state: str
    timeline: int
    position: int
    """A primary's last checkpoint; a standby's last known position."""

    @property
    def was_standby(self) -> bool:
        """Tell whether it was a standby when it stopped or was killed."""
        return self.state in ("shut down in recovery", "in archive recovery")

    @property
    def was_killed(self) -> bool:
        """Tell whether it was a primary that did not shut down."""
        return self.state != "shut down" and not self.was_standby


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A way, and why it is this one."""

    method: Method
    why: str


def folder_of(control: Mapping[str, str]) -> Folder:
    """Return the facts of pg_controldata, given by their English names."""
    least = control.get("Minimum recovery ending location", "0/0")
    timelines = ("Latest checkpoint's TimeLineID", "Min recovery ending loc's timeline")
    return Folder(
        system=control["Database system identifier"],
        state=control["Database cluster state"],
        timeline=max(int(control.get(name, "0")) for name in timelines),
        position=max(
            states.parse_lsn(control["Latest checkpoint location"]), states.parse_lsn(least)
        ),
    )


def choose(its: Folder, primary: Identity) -> Choice:
    """Return how a folder may follow a primary.

    Raises ReplicationRefused when it is of another system, or on a newer timeline: then it may be
    the true primary.
    """
    if its.system != primary.system:
        raise ReplicationRefused(
            f"the folder is of another system ({its.system}, the primary is {primary.system})",
            hint="Give the right folder; to replace this one: `replica clone --force`.",
        )
    if its.timeline > primary.timeline:
        raise ReplicationRefused(
            f"the folder is on timeline {its.timeline}, newer than the primary's, "
            f"{primary.timeline}",
            hint="It was promoted after that primary: find out which of them has the data.",
        )
    if its.timeline == primary.timeline > 1 and not its.was_standby:
        # Promoted twice at the same place: positions cannot tell one history from the other.
        return Choice(method=Method.CLONE, why=f"both took writes on a timeline {its.timeline}")
    if its.was_killed:
        return Choice(
            method=Method.REWIND, why="it was killed: what it wrote last may be its alone"
        )
    if its.timeline == primary.timeline:
        if its.position <= primary.position:
            return Choice(
                method=Method.ATTACH, why="it is on the primary's timeline, and not ahead"
            )
        return Choice(method=Method.CLONE, why="it is ahead of the primary on the same timeline")
    return _older(its, primary)


def feasible(choice: Choice, slot: Slot | None, major: str) -> Choice:
    """Return a choice, or a clone where WAL is gone, or where there is no pg_rewind (9.4)."""
    if choice.method is Method.ATTACH and slot and (slot.wal_status == "lost" or slot.invalidation):
        why = f"its slot {slot.name!r} is lost: WAL that it needs is gone"
        return Choice(method=Method.CLONE, why=why)
    if choice.method is Method.REWIND and pg_versions.text("pg_rewind", major) is None:
        return Choice(method=Method.CLONE, why=f"{choice.why}; PostgreSQL {major} has no pg_rewind")
    return choice


def _older(its: Folder, primary: Identity) -> Choice:
    fork = dict(primary.history).get(its.timeline)
    if fork is None:
        return Choice(
            method=Method.REWIND, why=f"the primary's history does not know timeline {its.timeline}"
        )
    # A primary's position is where its last record begins, a standby's where it ends.
    if its.position < fork or (its.was_standby and its.position == fork):
        return Choice(
            method=Method.ATTACH,
            why=f"it stopped at {states.lsn_text(its.position)}, before timeline {its.timeline} "
            "was "
            f"left at {states.lsn_text(fork)}",
        )
    return Choice(
        method=Method.REWIND,
        why=f"it wrote up to {states.lsn_text(its.position)}, and the primary left timeline "
        f"{its.timeline} at {states.lsn_text(fork)}",
    )


def once_stopped(its: Folder, running: Up | None) -> Folder:
    """Return what a folder will be once its server, which runs, has stopped."""
    if running is None:
        return its
    state = "shut down in recovery" if running.in_recovery else "shut down"
    return replace(
        its,
        state=state,
        timeline=max(its.timeline, running.timeline or 0),
        position=max(its.position, running.end or 0),
    )


Say = Callable[[str], None]


def mark_as_standby(local: LocalNode, spec: StandbySpec) -> None:
    """Make a stopped folder a standby: from now on it cannot start as a primary."""
    passfile = standby_config.passfile_of(spec, local.account)
    standby_config.write_standby(local.data, spec.upstream(passfile))


def begin(local: LocalNode, spec: StandbySpec, primary: Up, *, say: Say) -> None:
    """Start a folder as a standby and wait until it streams; raises ReplicationFailed."""
    mark_as_standby(local, spec)
    _raise_settings(local, primary)
    with clone_plan.connected(spec) as source:
        _make_slot(source.connection, spec.slot)
        goal = Goal(
            slot=spec.slot,
            position=streaming.current_lsn(source.connection),
            timeline=primary.timeline or 0,
        )
        say(f"starting {spec.name} in {local.data}")
        local_node.start(local)
        streaming.wait_for_stream(source.connection, local, goal, patience=spec.patience)


def try_to_follow(local: LocalNode, spec: StandbySpec, primary: Up, *, say: Say) -> bool:
    """Begin to follow; tell whether it streams, and stop the server when it does not."""
    try:
        begin(local, spec, primary, say=say)
    except ReplicationFailed as error:
        say(f"it does not follow as it is: {error}" + (f" ({error.hint})" if error.hint else ""))
        local_node.stop(local)
        return False
    return True


def drop_stale_slots(
    named: NamedNode, names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Drop the slots of these names that a demoted node kept; they would keep WAL for ever.

    Return those that are gone, and what could not be done, with what to do.
    """
    dropped, left = [], []
    try:
        with closing(database.connect(named.address)) as connection:
            connection.autocommit = True
            for name in _unused(connection, names):
                if streaming.drop_unused_slot(connection, name):
                    dropped.append(name)
    except (ConnectionFailed, MigrationError, database.Error) as error:
        left.append(
            f"slots that {named.name} had as a primary were not dropped "
            f"({database.first_line(error)}): see `replica status`"
        )
    return tuple(dropped), tuple(left)


def _unused(connection: database.Connection, names: Sequence[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select slot_name from pg_replication_slots"
            " where not active and slot_type = 'physical' and slot_name = any (%s)",
            (list(names),),
        )
        return [str(name) for (name,) in cursor.fetchall()]


def _make_slot(connection: database.Connection, name: str) -> None:
    """Make the standby's slot, anew when what it kept is lost."""
    major = pg_versions.of(connection.server_version)
    if pg_versions.holds("slots_wal_status", major):
        with connection.cursor() as cursor:
            cursor.execute(
                "select 1 from pg_replication_slots"
                " where slot_name = %s and wal_status in ('lost', 'unreserved')",
                (name,),
            )
            if cursor.fetchone():
                streaming.drop_slot(connection, name)
    try:
        streaming.create_slot(connection, name)
    except ReplicationRefused:
        return  # it was made at the promotion


def _raise_settings(local: LocalNode, primary: Up) -> None:
    """Give a standby at least what its primary has, or it does not start (facts 1.2)."""
    names = standby_config.guarded_settings(local.major)
    running = {name: value for name in names if (value := primary.number(name)) is not None}
    mine = {name: int(local_node.setting(local, name)) for name in running}
    standby_config.write_settings(local.data, standby_config.raised_settings(running, mine))
