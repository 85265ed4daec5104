"""The nodes that a site names, and the state of each, whether it answers or not."""

import os
import re
import socket
import struct
import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations import trust
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import conninfo, pg_versions
from collec_migrations.postgres.connection import first_line
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.queries import statement
from collec_migrations.replica import standby_config, states
from collec_migrations.replica.states import Down, Limits, Node, Up

FILE = Path("collec-nodes.toml")
VARIABLE = "COLLEC_NODES"
HINT = (
    "Name each server: --node db1='host=10.0.0.1 user=postgres dbname=postgres', "
    f"or write db1 = '...' below [nodes] in {FILE} (or in the file that {VARIABLE} names)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNode:
    """A node as the site calls it, and where it is."""

    name: str
    address: Address

    @property
    def host(self) -> str:
        """The host, or the folder of the socket."""
        default = os.environ.get("PGHOST", "/var/run/postgresql")
        parts = parse_dsn(self.address.dsn)
        return str(parts.get("hostaddr") or parts.get("host") or default)

    @property
    def port(self) -> int:
        """The port."""
        return int(parse_dsn(self.address.dsn).get("port") or os.environ.get("PGPORT", "5432"))


def known_nodes(given: Sequence[str], file: Path | None = None) -> tuple[NamedNode, ...]:
    """Return the nodes given as `NAME=ADDRESS`, else those of the file; raise UsageError if none.

    Passwords are refused in both: they belong into ~/.pgpass.
    """
    pairs = [_pair(text) for text in given] if given else list(_in_file(file or FILE, file))
    found = tuple(_named(name, text) for name, text in pairs)
    if not found:
        raise UsageError("no node is named", hint=HINT)
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the node {name!r} is named twice")
    return found


def limits(file: Path | None = None) -> Limits:
    """Return from where on a lag is told: `bytes` and `seconds` below [limits] of the file."""
    table = _content(file or FILE, file).get("limits", {})
    known = {"bytes", "seconds"}
    if not (isinstance(table, dict) and table.keys() <= known
            and all(type(one) in (int, float) and one >= 0 for one in table.values())):  # fmt: skip
        raise UsageError(f"{file or FILE}: [limits] takes bytes and seconds, both numbers")
    return Limits(**table)


def node_named(nodes: Sequence[NamedNode], name: str) -> NamedNode:
    """Return the node of a name; raise UsageError when there is none."""
    for node in nodes:
        if node.name == name:
            return node
    raise UsageError(f"no node is called {name!r}", hint=f"Known: {_list(nodes)}.")


def _content(path: Path, asked: Path | None) -> dict[str, Any]:
    """Return what the file says; nothing, when it is not there and nobody named it."""
    if asked is None:
        trust.check(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if asked is not None:
            raise UsageError(f"{path} is not there", hint=HINT) from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint=HINT) from error


def _in_file(path: Path, asked: Path | None) -> Iterator[tuple[str, str]]:
    content = _content(path, asked)
    if not content:
        return
    table = content.get("nodes")
    if not isinstance(table, dict) or not all(isinstance(at, str) for at in table.values()):
        raise UsageError(f"{path} has no table [nodes] of names and addresses", hint=HINT)
    yield from table.items()


def _pair(text: str) -> tuple[str, str]:
    name, _, address = text.partition("=")
    return name.strip(), address.strip()


def _named(name: str, text: str) -> NamedNode:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII) or not text:
        raise UsageError(f"a node is given as {name!r}", hint=HINT)
    address = conninfo.parse(text, source=f"the address of {name}")
    parts = parse_dsn(address.dsn)
    if address.password:
        raise UsageError(
            f"the address of {name} holds a password",
            hint="Put it into ~/.pgpass (mode 0600) and leave it out here.",
        )
    if "," in str(parts.get("host", "")) + str(parts.get("port", "")):
        raise UsageError(f"the address of {name} names several hosts", hint="A node is one server.")
    return NamedNode(name=name, address=address)


def _list(nodes: Sequence[NamedNode]) -> str:
    return ", ".join(one.name for one in nodes)


NODE_SETTINGS = (
    "data_directory", "config_file", "hot_standby", "listen_addresses", "max_slot_wal_keep_size",
    "port", "primary_conninfo", "primary_slot_name", "recovery_min_apply_delay",
    "synchronous_standby_names", "wal_receiver_status_interval", "wal_receiver_timeout",
)  # fmt: skip


def node_query(major: str) -> str:
    """Return the query for the state of a node."""
    control = pg_versions.text("fn_control", major) is not None
    names = {
        "system_identifier": "(select system_identifier::text from pg_control_system())"
        if control
        else "null::text",
        "standby_timeline": "(select greatest(c.timeline_id, r.min_recovery_end_timeline)"
        " from pg_control_checkpoint() c, pg_control_recovery() r)"
        if control
        else "null::int",
    }
    functions = ("current_lsn", "receive_lsn", "replay_lsn", "walfile_name", "replay_paused")
    names |= {f"fn_{name}": pg_versions.text(f"fn_{name}", major) or "" for name in functions}
    return statement("replica_node").format(**names)


def receiver_query(major: str) -> str | None:
    """Return the query for what a standby receives, None where no view tells it."""
    known = pg_versions.text("stat_wal_receiver", major) is not None
    return statement("replica_receiver") if known else None


def senders_query(major: str) -> str:
    """Return the query for who receives from a node."""
    position = (pg_versions.text("stat_repl_lsn_suffix", major) or "").removeprefix("_")
    reply = pg_versions.holds("stat_repl_reply_time", major)
    reply_time = "extract(epoch from reply_time)::float8" if reply else "null::float8"
    return statement("replica_senders").format(position=position, reply_time=reply_time)


def slots_query(major: str) -> str:
    """Return the query for the slots of a node."""
    columns = {
        "active_pid": ("slots_active_pid", "null::int"),
        "wal_status": ("slots_wal_status", "null::text"),
        "invalidation_reason": ("slots_invalidation_reason", "null::text"),
    }
    names = {
        column: column if pg_versions.holds(known, major) else absent
        for column, (known, absent) in columns.items()
    }
    return statement("replica_slots").format(**names)


def resume_function(major: str) -> str:
    """Return the function that lets replay go on."""
    return (
        (pg_versions.text("fn_replay_paused", major) or "")
        .replace("is_", "")
        .replace("paused", "resume")
    )


SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""Every server since 7.1 answers it with one letter (PostgreSQL manual, 55.2.11)."""


def server_answers(host: str, port: int, *, patience: float) -> bool:
    """Tell whether a PostgreSQL server answers on a host, or in a socket's folder."""
    with suppress(OSError), _open_socket(host, port, patience) as door:
        door.settimeout(patience)
        door.sendall(SSL_REQUEST)
        return door.recv(1) in (b"S", b"N", b"E")
    return False


def _open_socket(host: str, port: int, patience: float) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=patience)
    door = socket.socket(socket.AF_UNIX)
    try:
        door.settimeout(patience)
        door.connect(f"{host}/.s.PGSQL.{port}")
    except OSError:
        door.close()
        raise
    return door


PATIENCE = 5.0
"""Seconds after which a node that does not answer counts as down."""
T = TypeVar("T")


def read_nodes(nodes: Sequence[NamedNode], *, patience: float = PATIENCE) -> tuple[Node, ...]:
    """Return the state of each node, in this order; it takes as long as the slowest.

    Primaries are asked again at the end: what a standby has must not seem ahead of what its
    primary wrote.
    """
    seen = _together([partial(read_node, one, patience=patience) for one in nodes])
    if len(nodes) == 1:
        return tuple(seen)
    again = [
        partial(read_node, one, patience=patience) if _writes(state) else partial(_same, state)
        for one, state in zip(nodes, seen, strict=True)
    ]
    return tuple(_together(again))


def read_node(node: NamedNode, *, patience: float = PATIENCE) -> Node:
    """Return the state of a node; never waits much longer than `patience` seconds."""
    answer: list[Node] = []
    # A thread that may be left behind: nothing else ends a wait for a host that went silent.
    asking = threading.Thread(target=lambda: answer.append(_asked(node, patience)), daemon=True)
    asking.start()
    asking.join(patience + 1)
    return answer[0] if answer else _down(node, f"no answer within {patience:g} seconds", 0.1)


def with_timeout(address: Address, patience: float) -> Address:
    """Return an address whose connection fails, rather than waits, when the host is silent."""
    parts = parse_dsn(address.dsn)
    parts.setdefault("connect_timeout", str(max(2, round(patience))))
    parts.setdefault("tcp_user_timeout", str(round(patience * 1000)))
    return Address(str(make_dsn(**parts)))


def _asked(node: NamedNode, patience: float) -> Node:
    try:
        with closing(database.connect(with_timeout(node.address, patience))) as connection:
            connection.autocommit = True
            return _read(connection, node)
    except (MigrationError, psycopg2.Error) as error:
        return _down(node, first_line(error), patience)


def _down(node: NamedNode, why: str, patience: float) -> Down:
    return Down(
        name=node.name,
        shown=node.address.shown,
        host=node.host,
        port=node.port,
        why=why.removeprefix("cannot connect: "),
        answers=server_answers(node.host, node.port, patience=patience),
    )


def _read(connection: database.Connection, node: NamedNode) -> Up:
    major = pg_versions.of(connection.server_version)
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(node_query(major))
        row = cursor.fetchone()
        assert row is not None
        version, release, in_recovery, system, timeline, *positions, paused, age, clock, began = row
        position, received, replayed = map(states.position_from, positions)
        receiving = receiver_query(major)
        up = Up(
            name=node.name,
            shown=node.address.shown,
            host=node.host,
            port=node.port,
            version=version,
            release=str(release).partition(" ")[0],
            major=major,
            in_recovery=in_recovery,
            system=system,
            timeline=timeline,
            position=position,
            received=received,
            replayed=replayed,
            paused=paused,
            replay_age=age,
            clock=clock,
            began=began,
            receiver_known=receiving is not None,
        )
        receiver = (
            _first(map(states.receiver_from_row, _rows(cursor, receiving))) if receiving else None
        )
        settings = _settings(cursor)
        # It may hold a password: nothing else of it is kept.
        told = settings.pop("primary_conninfo", "")
        return replace(
            up,
            receiver=receiver,
            senders=tuple(map(states.sender_from_row, _rows(cursor, senders_query(major)))),
            slots=tuple(map(states.slot_from_row, _rows(cursor, slots_query(major)))),
            settings=settings,
            history=_history(cursor, major, timeline) if not in_recovery else (),
            upstream=states.upstream_from(told, receiver) if in_recovery else None,
        )


def _history(cursor: extensions.cursor, major: str, timeline: int | None) -> states.History | None:
    """Return the history of a primary's timeline; None when this role may not read the file."""
    if not timeline or timeline == 1:  # the first has no file
        return ()
    folder = pg_versions.text("wal_dir", major)
    try:
        cursor.execute("select pg_read_file(%s)", (f"{folder}/{timeline:08X}.history",))
    except psycopg2.Error:
        return None
    ((content,),) = cursor.fetchall()
    return states.parse_history(content)


def _writes(state: Node) -> bool:
    return isinstance(state, Up) and not state.in_recovery


def _same(state: Node) -> Node:
    return state


def _rows(cursor: extensions.cursor, query: str) -> list[tuple[Any, ...]]:  # of several types
    cursor.execute(query)
    return cursor.fetchall()


def _settings(cursor: extensions.cursor) -> dict[str, str]:
    names = [*NODE_SETTINGS, *standby_config.GUARDED, standby_config.GUARDED_LATER]
    cursor.execute(statement("replica_settings"), (names,))
    return {str(name): str(setting) for name, setting in cursor.fetchall()}


def _first(found: "map[T]") -> T | None:
    return next(iter(found), None)


def _together(work: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of several pieces of work that are done at the same time."""
    results: dict[int, T] = {}
    threads = [
        threading.Thread(target=lambda at=at, do=do: results.update({at: do()}), daemon=True)
        for at, do in enumerate(work)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[at] for at in range(len(work))]
