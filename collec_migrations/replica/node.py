"""Read the state of nodes: of those that are down, and of standbys that refuse reads, too."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import MigrationError
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.connection import first_line
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.queries import statement
from collec_migrations.replica import answering, guarded, queries, rows
from collec_migrations.replica.nodes import Named
from collec_migrations.replica.states import Down, Node, Up

PATIENCE = 5.0
"""Seconds after which a node that does not answer counts as down."""
T = TypeVar("T")


def read_all(nodes: Sequence[Named], *, patience: float = PATIENCE) -> tuple[Node, ...]:
    """Return the state of each node, in this order; it takes as long as the slowest.

    Primaries are asked again at the end: what a standby has must not seem ahead of what its
    primary wrote.
    """
    seen = _together([partial(read, one, patience=patience) for one in nodes])
    if len(nodes) == 1:
        return tuple(seen)
    again = [
        partial(read, one, patience=patience) if _writes(state) else partial(_same, state)
        for one, state in zip(nodes, seen, strict=True)
    ]
    return tuple(_together(again))


def read(node: Named, *, patience: float = PATIENCE) -> Node:
    """Return the state of a node; never waits much longer than `patience` seconds."""
    answer: list[Node] = []
    # A thread that may be left behind: nothing else ends a wait for a host that went silent.
    asking = threading.Thread(target=lambda: answer.append(_asked(node, patience)), daemon=True)
    asking.start()
    asking.join(patience + 1)
    return answer[0] if answer else _down(node, f"no answer within {patience:g} seconds", 0.1)


def timed(address: Address, patience: float) -> Address:
    """Return an address whose connection fails, rather than waits, when the host is silent."""
    parts = parse_dsn(address.dsn)
    parts.setdefault("connect_timeout", str(max(2, round(patience))))
    parts.setdefault("tcp_user_timeout", str(round(patience * 1000)))
    return Address(str(make_dsn(**parts)))


def _asked(node: Named, patience: float) -> Node:
    try:
        with closing(database.connect(timed(node.address, patience))) as connection:
            connection.autocommit = True
            return _read(connection, node)
    except (MigrationError, psycopg2.Error) as error:
        return _down(node, first_line(error), patience)


def _down(node: Named, why: str, patience: float) -> Down:
    return Down(
        name=node.name,
        shown=node.address.shown,
        host=node.host,
        port=node.port,
        why=why.removeprefix("cannot connect: "),
        speaks=answering.speaks(node.host, node.port, patience=patience),
    )


def _read(connection: database.Connection, node: Named) -> Up:
    major = pg_versions.of(connection.server_version)
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(queries.node(major))
        row = cursor.fetchone()
        assert row is not None
        version, release, in_recovery, system, timeline, *positions, paused, age, clock, began = row
        position, received, replayed = map(rows.position, positions)
        receiving = queries.receiver(major)
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
        receiver = _first(map(rows.receiver, _rows(cursor, receiving))) if receiving else None
        settings = _settings(cursor)
        # It may hold a password: nothing else of it is kept.
        told = settings.pop("primary_conninfo", "")
        return replace(
            up,
            receiver=receiver,
            senders=tuple(map(rows.sender, _rows(cursor, queries.senders(major)))),
            slots=tuple(map(rows.slot, _rows(cursor, queries.slots(major)))),
            settings=settings,
            upstream=rows.upstream(told, receiver) if in_recovery else None,
        )


def _writes(state: Node) -> bool:
    return isinstance(state, Up) and not state.in_recovery


def _same(state: Node) -> Node:
    return state


def _rows(cursor: extensions.cursor, query: str) -> list[tuple[Any, ...]]:  # of several types
    cursor.execute(query)
    return cursor.fetchall()


def _settings(cursor: extensions.cursor) -> dict[str, str]:
    names = [*queries.SETTINGS, *guarded.ALL, guarded.SENDERS]
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
