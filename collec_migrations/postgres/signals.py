"""Signals that end a program, as errors: what was begun can then be taken back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from collec_migrations.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextmanager
def raised() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP raise Interrupted in this block."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Interrupted(f"ended by {signal.Signals(number).name}")

    with _handled(stop):
        yield


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


@contextmanager
def _handled(handler: object) -> Iterator[None]:
    """Handle the signals that end a program; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in SIGNALS]  # type: ignore[arg-type]  # typeshed hides its own alias
    try:
        yield
    finally:
        for number, former in before:
            signal.signal(number, former)
