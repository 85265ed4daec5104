"""Find the dump programs that belong to a server, and learn what they can do."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import BackupFailed, UsageError
from collec_migrations.postgres import binaries, programs

NEEDED = ("pg_dump", "pg_dumpall", "pg_restore")
ZSTD_SINCE = 16
GZIP_LEVEL = 3
"""gzip -9 takes twice as long as this, for two per cent (benchmarks/backup.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """pg_dump, pg_dumpall and pg_restore of one version."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> int:
        """Return the first number of the version."""
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.bin_dir / name)

    def has_zstd(self) -> bool:
        """Tell whether this build compresses by zstd: asked of the program, without a server."""
        if self.major < ZSTD_SINCE:
            return False
        command = (self.program("pg_dump"), "-w", "-Fc", "--compress=zstd:3", "-f", os.devnull)
        return "does not support" not in _told(*command, "-d", "host=/nonexistent")

    def reads(self, compression: str) -> bool:
        """Tell whether this build reads archives of a compression."""
        return not compression.startswith("zstd") or self.has_zstd()


def in_folder(bin_dir: Path) -> Tools | None:
    """Return the tools of a folder, None when it does not hold them all."""
    if not all((bin_dir / name).is_file() for name in NEEDED):
        return None
    version = re.search(r"\d+(\.\d+)*", _told(str(bin_dir / "pg_dump"), "--version"))
    return Tools(bin_dir=bin_dir, version=version[0]) if version else None


def for_server(major: int, bin_dir: Path | None = None, *, reading: str = "") -> Tools:
    """Return the tools of a server's own major, or those of `bin_dir`, which may be newer.

    `reading` is the compression of an archive that they have to read.
    """
    if bin_dir is not None:
        return _given(major, bin_dir)
    for found in at_hand():
        if found.major == major and found.reads(reading):
            return found
    raise BackupFailed(
        f"no pg_dump of PostgreSQL {major} on this machine",
        hint=f"Install postgresql-client-{major}, or say with --bindir where it is.",
    )


def at_hand() -> Iterator[Tools]:
    """Yield the tools of this machine: those of a whole server before those on the path."""
    folders = [one.bin_dir for one in binaries.at_hand()]
    for pattern in binaries.SYSTEM:
        folders += sorted(Path("/").glob(pattern.format(major="*").lstrip("/")))
    folders += [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep) if one]
    for folder in dict.fromkeys(folders):
        found = in_folder(folder)
        if found is not None:
            yield found


def compression(tools: Tools) -> str:
    """Return the best compression of a build: zstd, which is quick and small, else gzip."""
    return "zstd:3" if tools.has_zstd() else f"gzip:{GZIP_LEVEL}"


def _given(major: int, bin_dir: Path) -> Tools:
    found = in_folder(bin_dir)
    if found is None:
        raise UsageError(
            f"{bin_dir} does not hold {', '.join(NEEDED)}",
            hint="Give the `bin` folder of a PostgreSQL.",
        )
    if found.major < major:
        raise BackupFailed(
            f"pg_dump {found.version} is older than the server, PostgreSQL {major}",
            hint=f"Install postgresql-client-{major}: an older one leaves things out.",
        )
    return found


def _told(*command: str) -> str:
    """Return what a program says, wherever it says it."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=programs.environment(),
        check=False,
    )
    return done.stdout + done.stderr
