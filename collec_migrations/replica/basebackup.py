"""Copy a running primary by the server's own pg_basebackup, and prove the copy."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from collec_migrations.errors import ReplicationFailed, ServerFailed
from collec_migrations.postgres import connection, pg_versions, programs, sizes
from collec_migrations.postgres.sizes import LOOK, Advance
from collec_migrations.replica import standby_config
from collec_migrations.replica.local_node import LocalNode
from collec_migrations.replica.standby_config import Upstream

# The shell ends the copy when we end: then nobody holds the other side of its standard input.
GUARD = """
exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ read -r _ <&3; kill -TERM "$child"; } 2>/dev/null & watch=$!
wait "$child"; status=$?
kill "$watch" 2>/dev/null
exit $status
"""
KILLED = 128
CHECKSUM = "CRC32C"
"""Against damage on the way, as PostgreSQL's own default. SHA256 protects from nobody here: who can
change the copy can change its manifest. Built without OpenSSL, it took 27 s more for each GB."""
HINTS: Mapping[str, str] = MappingProxyType(
    {
        r"pg_hba\.conf": "Run `collec-migrations replica primary ADDRESS`"
        " on the primary's machine: its pg_hba.conf does not let the standby in.",
        connection.WRONG_PASSWORD: "Correct the password in the password file.",
        "No space left": "Make room, or use another disk.",
    }
)


def command(major: str, program: str | Path, folder: Path, upstream: Upstream) -> tuple[str, ...]:
    """Return the command of pg_basebackup; there is no password in it. Pure."""
    kept = " ".join(f"{name}={value}" for name, value in standby_config.KEEPALIVES.items())
    where = f"{standby_config.primary_conninfo(major, upstream)} {kept}"
    words = [str(program), "--no-password", "-d", where]
    words += ["-D", str(folder), "-X", "stream", "-c", "fast"]
    slot, manifest = pg_versions.text("bb_slot", major), pg_versions.text("bb_manifest", major)
    words += [f"{slot}={upstream.slot}"] if slot else []
    words += [f"{manifest}={CHECKSUM}"] if manifest else []
    return tuple(words)


def copy(
    node: LocalNode,
    folder: Path,
    upstream: Upstream,
    total: int,
    *,
    lock: int,
    silence: float,
    advance: Advance,
) -> None:
    """Copy the primary into an empty folder; `total` is about how many bytes there will be.

    `lock` is a descriptor that the copy holds as long as it goes on, also when we are killed.
    Raises ReplicationFailed, also when nothing arrives for `silence` seconds: a network that was
    cut says nothing. What was copied is then left to the caller.
    """
    words = command(node.major, node.binaries.program("pg_basebackup"), folder, upstream)
    with tempfile.TemporaryFile() as messages:
        with _guarded(node, words, upstream, messages.fileno(), lock) as guard:
            for size in _sizes(guard, folder, silence):
                advance(size, total)
        messages.seek(0)
        answer = messages.read().decode(errors="replace")
    if guard.returncode != 0:
        raise _failure(guard.returncode, answer)
    size = sizes.of_folder(folder)
    advance(size, size)


def _sizes(guard: subprocess.Popen[bytes], folder: Path, silence: float) -> Iterator[int]:
    """Yield the size of a copy until it has ended; fail when it does not grow any more."""
    most, since = -1, time.monotonic()
    while guard.poll() is None:
        size = sizes.of_folder(folder)
        if size > most:
            most, since = size, time.monotonic()
        elif time.monotonic() - since > silence:
            raise ReplicationFailed(
                f"nothing arrived from the primary for {silence:g} seconds",
                hint="Is the network up? Type CHECKPOINT on the primary, if one takes longer.",
            )
        yield size
        with suppress(subprocess.TimeoutExpired):
            guard.wait(LOOK)


def _failure(status: int, answer: str) -> ReplicationFailed:
    status = KILLED - status if status > KILLED else status
    error = programs.failure("pg_basebackup", status, answer)
    hint = next((hint for said, hint in HINTS.items() if re.search(said, answer)), "")
    return ReplicationFailed(str(error), hint=f"{error.hint} {hint}".strip())


def verify(node: LocalNode, folder: Path) -> bool:
    """Compare a copy with its manifest; tell whether this major can. It must not have run yet.

    Raises ReplicationFailed, which names a file, when the copy is not what the primary sent.
    """
    if pg_versions.text("verifybackup", node.major) is None:
        return False
    try:
        node.run("pg_verifybackup", "--quiet", folder)
    except ServerFailed as error:
        raise ReplicationFailed("the copy is damaged", hint=error.hint) from error
    return True


def remove(folder: Path, patience: float = 20.0) -> None:
    """Remove what was copied, also while a process that is about to end still writes there."""
    deadline = time.monotonic() + patience
    while os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        if time.monotonic() > deadline:
            raise ReplicationFailed(
                f"{folder} could not be removed", hint="Remove it: it is not a whole clone."
            )
        time.sleep(0.1)


@contextmanager
def _guarded(
    node: LocalNode, words: tuple[str, ...], upstream: Upstream, messages: int, lock: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command under a guard; when the block ends, so do both."""
    with subprocess.Popen(
        ("/bin/sh", "-c", GUARD, "sh", *words),
        stdin=subprocess.PIPE,
        stdout=messages,
        stderr=messages,
        cwd="/",
        # libpq before 10 takes no passfile from the connection string.
        env={**programs.environment(), "PGPASSFILE": str(upstream.passfile)},
        umask=0o077,
        start_new_session=True,
        pass_fds=(lock,),
        **node.account.identity(),
    ) as guard:
        try:
            yield guard
        finally:
            assert guard.stdin is not None
            guard.stdin.close()
            guard.wait()
            # Its second process, which receives the WAL, would notice only later.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(guard.pid, signal.SIGKILL)
