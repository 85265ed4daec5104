"""Run pg_dump, and tell how far it is."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.backup import dump_programs as tools
from collec_migrations.backup.dump_programs import Tools
from collec_migrations.backup.libpq_environment import Door
from collec_migrations.errors import BackupFailed
from collec_migrations.postgres import programs, sizes
from collec_migrations.postgres.sizes import LOOK, Advance

CUSTOM = "data.dump"
DIRECTORY = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """How pg_dump is to be called."""

    tools: Tools
    folder: Path
    compression: str
    snapshot: str
    jobs: int
    lock_wait: float

    @property
    def form(self) -> str:
        """Return the name of the archive's format."""
        return "directory" if self.jobs > 1 else "custom"


def command(dump: Dump, dsn: str) -> tuple[str, ...]:
    """Return the command of pg_dump; `dsn` holds no password."""
    named = dump.tools.major >= tools.ZSTD_SINCE
    words = [
        dump.tools.program("pg_dump"),
        "--no-password",
        f"--dbname={dsn}",
        f"--lock-wait-timeout={round(dump.lock_wait * 1000)}",
        f"--compress={dump.compression if named else tools.GZIP_LEVEL}",
        f"--format={dump.form}",
        f"--file={path(dump.folder, dump.form)}",
    ]
    words += [f"--snapshot={dump.snapshot}"] if dump.snapshot else []
    words += [f"--jobs={dump.jobs}"] if dump.jobs > 1 else []
    return tuple(words)


def path(folder: Path, form: str) -> Path:
    """Return where the archive is in a backup's folder."""
    return folder / (DIRECTORY if form == "directory" else CUSTOM)


@contextmanager
def running(dump: Dump, door: Door, *, lock: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run pg_dump beside this block, and end it when the block fails."""
    with door.start(command(dump, door.dsn), lock) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def wait(
    process: subprocess.Popen[bytes], dump: Dump, door: Door, expected: int, advance: Advance
) -> None:
    """Wait for the end of pg_dump; raise `BackupFailed` when it fails."""
    messages: list[bytes] = []
    reader = threading.Thread(target=lambda: messages.extend(process.stderr or ()), daemon=True)
    reader.start()
    while process.poll() is None:
        advance(sizes.of_folder(dump.folder), expected)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK)
    reader.join()
    size = sizes.of_folder(dump.folder)
    advance(size, size)
    if process.returncode != 0:
        told = door.without_secret(b"".join(messages).decode(errors="replace"))
        status = process.returncode
        how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
        raise BackupFailed(f"pg_dump {how}", hint=programs.last_words(told))
