"""Copy a running primary by the server's own pg_basebackup, and prove the copy."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from collec_migrations import majors
from collec_migrations.backup import space
from collec_migrations.backup.archive import LOOK, Advance
from collec_migrations.errors import ServerFailed
from collec_migrations.replication import configuration
from collec_migrations.replication.configuration import Upstream
from collec_migrations.replication.faults import ReplicationFailed
from collec_migrations.replication.machine import Node
from collec_migrations.server import programs

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
HINTS: Mapping[str, str] = MappingProxyType(
    {
        "no pg_hba.conf entry": "Run `collec-migrations replica primary --standby ADDRESS --apply`"
        " on the primary's machine: its pg_hba.conf does not let the standby in.",
        "password authentication failed": "Correct the password in the password file.",
        "No space left": "Make room, or use another disk.",
    }
)


def command(major: str, program: str | Path, folder: Path, upstream: Upstream) -> tuple[str, ...]:
    """Return the command of pg_basebackup; there is no password in it. Pure."""
    words = [str(program), "--no-password", "-d", configuration.conninfo(major, upstream)]
    words += ["-D", str(folder), "-X", "stream", "-c", "fast"]
    slot, manifest = majors.text("bb_slot", major), majors.text("bb_manifest", major)
    words += [f"{slot}={upstream.slot}"] if slot else []
    words += [f"{manifest}=SHA256"] if manifest else []
    return tuple(words)


def copy(
    node: Node, folder: Path, upstream: Upstream, total: int, *, lock: int, advance: Advance
) -> None:
    """Copy the primary into an empty folder; `total` is about how many bytes there will be.

    `lock` is a descriptor that the copy holds as long as it goes on, also when we are killed.
    Raises ReplicationFailed; what was copied is then left to the caller.
    """
    words = command(node.major, node.binaries.program("pg_basebackup"), folder, upstream)
    with (
        tempfile.TemporaryFile() as messages,
        _guarded(node, words, upstream, messages.fileno(), lock) as guard,
    ):
        while guard.poll() is None:
            advance(space.of_folder(folder), total)
            with suppress(subprocess.TimeoutExpired):
                guard.wait(LOOK)
        messages.seek(0)
        told = messages.read().decode(errors="replace")
    size = space.of_folder(folder)
    advance(size, size)
    if guard.returncode != 0:
        status = guard.returncode
        status = KILLED - status if status > KILLED else status
        error = programs.failure("pg_basebackup", status, told)
        hint = next((hint for part, hint in HINTS.items() if part in told), "")
        raise ReplicationFailed(str(error), hint=f"{error.hint} {hint}".strip())


def verify(node: Node, folder: Path) -> bool:
    """Compare a copy with its manifest; tell whether this major can. It must not have run yet.

    Raises ReplicationFailed, which names a file, when the copy is not what the primary sent.
    """
    if majors.text("verifybackup", node.major) is None:
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
    node: Node, words: tuple[str, ...], upstream: Upstream, messages: int, lock: int
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
