"""A proxy for TCP that can become a black hole, as a network that was cut."""

import re
import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from collec_migrations.postgres.address import Address

IDLE = b"Z\0\0\0\x05I"
"""What a server says at the end of a transaction (manual, 54.7: ReadyForQuery)."""
READY = re.compile(rb"Z\0\0\0\x05[ITE]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Hands on what comes to `port`, unless it is cut: then nothing passes, nothing is refused."""

    port: int
    wanted: threading.Event = field(default_factory=threading.Event)
    still: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    answers: dict[socket.socket, list[bytes]] = field(default_factory=dict)
    """What the server sent on each connection."""

    def round_trips(self) -> int:
        """Return how often the server was ready for a query again: it says so after each answer.

        The first time of each connection is the end of the login (manual, 54.2: ReadyForQuery).
        """
        return sum(len(READY.findall(b"".join(sent))) - 1 for sent in self.answers.values())

    def cut(self) -> None:
        """Let nothing pass any more."""
        self.wanted.set()
        assert self.still.wait(10)

    def heal(self) -> None:
        """Let all pass again."""
        self.wanted.clear()


@contextmanager
def proxy(to: int) -> Iterator[Proxy]:
    """Give a proxy to a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        made = Proxy(port=door.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(made, door, to))
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            thread.join()


@contextmanager
def pooler(server: Address) -> Iterator[Address]:
    """Give the address of a pooler in transaction mode: each gets another session."""
    over = threading.Event()
    threads = []

    def serve(door: socket.socket) -> None:
        while not over.is_set():
            if select.select([door], [], [], 0.05)[0]:
                client, _ = door.accept()
                threads.append(threading.Thread(target=_pooled, args=(client, server, over)))
                threads[-1].start()

    with (
        tempfile.TemporaryDirectory() as folder,  # a socket's name may not be long
        socket.socket(socket.AF_UNIX) as door,
    ):
        door.bind(f"{folder}/.s.PGSQL.{server.port}")
        door.listen()
        threads.append(threading.Thread(target=serve, args=(door,)))
        threads[0].start()
        try:
            yield replace(server, host=folder)
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _pooled(client: socket.socket, server: Address, over: threading.Event) -> None:
    """Hand on what a client says, to the next session after the end of each transaction."""
    start = client.recv(65536)
    sessions = []
    for _ in range(2):
        sessions.append(socket.socket(socket.AF_UNIX))
        sessions[-1].connect(f"{server.host}/.s.PGSQL.{server.port}")
        sessions[-1].sendall(start)
        greeting = b""
        while not greeting.endswith(IDLE):
            greeting += sessions[-1].recv(65536)
        if len(sessions) == 1:
            client.sendall(greeting)
    is_open = True
    while is_open and not over.is_set():
        for ready in select.select([client, sessions[0]], [], [], 0.05)[0]:
            data = ready.recv(65536)
            if not data:
                is_open = False
            elif ready is client:
                sessions[0].sendall(data)
            else:
                client.sendall(data)
                if data.endswith(IDLE):
                    sessions.reverse()
    for end in (client, *sessions):
        end.close()


def _serve(made: Proxy, door: socket.socket, to: int) -> None:
    ends: dict[socket.socket, socket.socket] = {}
    while not made.over.is_set():
        if made.wanted.is_set():
            made.still.set()
            made.over.wait(0.05)
            continue
        made.still.clear()
        for ready in select.select([door, *ends], [], [], 0.05)[0]:
            if ready is door:
                _join(ends, door, to)
            elif ready in ends:
                data = _moved(ready, ends[ready])
                if not data:
                    _close(ends, ready)
                elif ready.getpeername()[1] == to:
                    made.answers.setdefault(ready, []).append(data)
    for end in list(ends):
        end.close()


def _join(ends: dict[socket.socket, socket.socket], door: socket.socket, to: int) -> None:
    here, _ = door.accept()
    try:
        there = socket.create_connection(("127.0.0.1", to))
    except OSError:
        here.close()
        return
    ends[here], ends[there] = there, here


def _moved(source: socket.socket, target: socket.socket) -> bytes:
    with suppress(OSError):
        data = source.recv(65536)
        target.sendall(data)
        return data
    return b""


def _close(ends: dict[socket.socket, socket.socket], end: socket.socket) -> None:
    other = ends.pop(end)
    ends.pop(other, None)
    end.close()
    other.close()
