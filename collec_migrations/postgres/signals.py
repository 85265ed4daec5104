"""Signals that end a program, as errors: what was begun can then be taken back.

libpq waits for an answer without looking at signals; with psycopg2's wait callback it is Python
that waits, so that a signal cancels the running statement on the server at once.
"""

import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from collec_migrations.errors import CommitUnknown, Interrupted, MigrationError

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_CANCEL = 0.5
"""Seconds between two requests to cancel: one that comes between two statements is lost."""

_LIMIT = "PGCONNECT_TIMEOUT"
_depth = 0
_caught: Interrupted | None = None


@contextmanager
def raised() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP raise Interrupted in this block.

    A statement that runs on a connection opened in it is cancelled first.
    """
    global _depth, _caught

    def stop(number: int, _: FrameType | None) -> None:
        global _caught
        _caught = Interrupted(f"ended by {signal.Signals(number).name}")
        raise _caught

    if not _depth:
        _caught = None
    _depth += 1
    try:
        with _handled(stop):
            yield
    finally:
        _depth -= 1
        if not _depth and "psycopg2" in sys.modules:
            sys.modules["psycopg2.extensions"].set_wait_callback(None)


@contextmanager
def ignored() -> Iterator[None]:
    """Let nothing happen when these signals arrive in this block."""
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def held() -> Iterator[None]:
    """Let these signals wait for the end of this block, and arrive then: for short blocks."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def watch_statements() -> None:
    """Let a signal cancel statements of connections, where signals are raised."""
    from psycopg2 import extensions

    extensions.set_wait_callback(_wait if _depth else None)


def came() -> bool:
    """Say whether a signal has ended the work of this block."""
    return _caught is not None


def explained(error: MigrationError) -> MigrationError:
    """Return the error, as what ended the work where a signal did."""
    if _caught is None or isinstance(error, (Interrupted, CommitUnknown)):
        return error
    return Interrupted(f"{_caught}: {error}", hint=error.hint)


def _wait(connection: Any) -> None:
    """Wait for the server's answer; after a signal, cancel until it comes, and raise.

    While it connects, nothing is there to cancel, and the time limit is ours to keep: libpq heeds
    `connect_timeout` only where it waits itself.
    """
    from psycopg2 import OperationalError
    from psycopg2.extensions import POLL_OK, POLL_READ, STATUS_SETUP, parse_dsn

    ended: Interrupted | None = None
    is_connecting = connection.status == STATUS_SETUP
    deadline = math.inf
    if is_connecting:
        limit = parse_dsn(connection.dsn).get("connect_timeout") or os.environ.get(_LIMIT) or "0"
        deadline = time.monotonic() + float(limit) if float(limit) > 0 else math.inf
    while True:
        try:
            state = connection.poll()
            if state == POLL_OK:
                if ended:
                    # An error, or an end that came first: psycopg2 closes the connection, so that
                    # nothing more is done and the server rolls back.
                    raise ended
                return
            sockets = [connection.fileno()]
            reading, writing = (sockets, []) if state == POLL_READ else ([], sockets)
            left = deadline - time.monotonic()
            pause = _CANCEL if ended else None if left == math.inf else max(left, 0)
            ready = any(select.select(reading, writing, [], pause))
            if not ready and ended:
                connection.cancel()
            elif not ready:
                raise OperationalError("connection to server failed: timeout expired")
        except Interrupted as error:
            if is_connecting or error is ended:
                raise
            ended = error
            connection.cancel()


@contextmanager
def _handled(handler: object) -> Iterator[None]:
    """Handle the signals that end a program; only the main thread can.

    What the parent ignores stays ignored: `nohup` says so of SIGHUP, a shell's `&` of SIGINT.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [
        (number, signal.signal(number, handler))  # type: ignore[arg-type]  # typeshed hides its own alias
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    try:
        yield
    finally:
        for number, former in before:
            signal.signal(number, former)
