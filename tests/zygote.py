"""A process that has imported all, and forks one for each command: half a second saved each time.

What a test starts this way is a process of its own, with its own environment, folder, output and
exit status; only the imports were done before. As a script it is that process.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

ENTRIES = {"alembic": "alembic.config", "collec-migrations": "collec_migrations.cli.main"}
"""Module with the function `main` of each command."""
IMPORTED = (
    *ENTRIES.values(),
    *("sqlalchemy.dialects.postgresql.psycopg2", "rich.console", "rich.progress"),
    *("collec_migrations.migrate.verbs", "collec_migrations.backup.rehearsal"),
    *(f"collec_migrations.cli.{name}" for name in ("adopt", "archive", "backup", "detect")),
    *(f"collec_migrations.cli.{name}" for name in ("history", "upgrade", "verify", "wrap")),
)
LONGEST = 200
"""Seconds of a command: what hangs is killed, and its test fails."""
SHIM = """#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.connect({path!r})
words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
asked = dict(words=words, folder=os.getcwd(), environment=dict(os.environ))
socket.send_fds(server, [json.dumps(asked).encode()], [1, 2])
sys.exit(int(server.recv(100)) % 256)
"""
"""A program that has a command forked in its place, for a shell to call."""
SIZE = 1_000_000
"""Bytes of a request or an answer, at most."""


class Zygote:
    """The process that forks, started when it is first needed; it ends with its client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self, words: Sequence[str], *, folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str] | None:
        """Run one of `ENTRIES` and return how it ended; None: it is busy with another."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                request = {"words": words, "folder": str(folder), "environment": environment}
                status = self._ask(json.dumps(request).encode(), out, err)
                return subprocess.CompletedProcess(
                    list(words), status, stdout=_read(out), stderr=_read(err)
                )
        finally:
            self._lock.release()

    @contextmanager
    def on_path(self, folder: Path) -> Iterator[None]:
        """Put programs into a new folder that have their commands forked; they read no input."""
        folder.mkdir()
        path = str(folder / "socket")
        for name in ENTRIES:
            (folder / name).write_text(SHIM.format(python=sys.executable, path=path))
            (folder / name).chmod(0o755)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
            server.bind(path)
            server.listen()
            thread = threading.Thread(target=self._answer, args=(server,))
            thread.start()
            try:
                yield
            finally:
                server.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _answer(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                with client:
                    request, fds, _, _ = socket.recv_fds(client, SIZE, 2)
                    with os.fdopen(fds[0], "wb") as out, os.fdopen(fds[1], "wb") as err, self._lock:
                        client.send(str(self._ask(request, out, err)).encode())

    def close(self) -> None:
        """End the process."""
        if self._socket and self._process:
            self._socket.close()
            self._process.wait(timeout=60)

    def _ask(self, request: bytes, out: IO[bytes], err: IO[bytes]) -> int:
        if self._socket is None:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                theirs.set_inheritable(True)
                # -P: the current folder is no place to import from.
                command = [sys.executable, "-P", __file__, str(theirs.fileno())]
                self._process = subprocess.Popen(
                    command, pass_fds=[theirs.fileno()], process_group=0
                )
                self._socket.settimeout(LONGEST)
        socket.send_fds(self._socket, [request], [out.fileno(), err.fileno()])
        try:
            answer = self._socket.recv(SIZE)
        except BaseException:  # pytest's own time limit among them
            self._kill()
            raise
        assert answer, "the process that forks has gone"
        return int(answer)

    def _kill(self) -> None:
        """End the process and the command that it waits for."""
        assert self._socket is not None
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()
        self._socket = None


def _read(file: IO[bytes]) -> str:
    """Return what was written, with line ends as `subprocess` gives them."""
    file.seek(0)
    text = file.read().decode("utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def serve(server: socket.socket) -> None:
    """Fork a process for each request until the client has gone."""
    for module in IMPORTED:
        import_module(module)
    while True:
        request, fds, _, _ = socket.recv_fds(server, SIZE, 2)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            server.close()
            _become(json.loads(request), *fds)
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(pid, 0)
        server.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(told: dict[str, Any], out: int, err: int) -> None:
    """Be the command that was asked for, to its end."""
    status = 70
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for fd, standard in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(fd, standard)
        os.environ.clear()
        os.environ.update(told["environment"])
        os.chdir(told["folder"])
        sys.argv = list(told["words"])
        import_module(ENTRIES[sys.argv[0]]).main()
        status = 0
    except SystemExit as end:
        status = _status(end)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        serve(listening)
