"""What `postmaster.pid` says of a running server, believed only when the process is ours."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.postgres.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    """A server that wrote `postmaster.pid`."""

    pid: int
    began: int
    """When it started, in seconds since 1970."""
    data: Path
    """Where its data were when it started."""
    port: int
    socket_folder: str
    is_ready: bool

    @property
    def address(self) -> Address:
        """Return where it is reached."""
        return Address(host=self.socket_folder, port=self.port)

    def has_moved(self, data: Path) -> bool:
        """Tell whether the data are no longer where the server looks for them."""
        with contextlib.suppress(OSError):
            return not self.data.samefile(data)
        return True


def recorded(data: Path) -> Postmaster | None:
    """Return what the file says, which may be of a server long gone."""
    try:
        lines = os.fsdecode((data / "postmaster.pid").read_bytes()).split("\n")
        # pid, data, start, port, socket folder, listen address, shared memory, status
        pid, began, port = int(lines[0]), int(lines[2]), int(lines[3])
        started, folder, status = Path(lines[1]), lines[4], lines[7:8]
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    is_ready = status == ["ready   "]
    return Postmaster(
        pid=pid, began=began, data=started, port=port, socket_folder=folder, is_ready=is_ready
    )


def running(data: Path) -> Postmaster | None:
    """Return the server that runs on a data folder, ready or not."""
    found = recorded(data)
    return found if found and _runs_on(found.pid, data) else None


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] not in "ZX"


def _runs_on(pid: int, data: Path) -> bool:
    """Tell whether a process is a server of a data folder: a process id is used again one day.

    A server's current folder is its data. In a container root may not see that of another
    account (no CAP_SYS_PTRACE): then the command line that we gave it has to do.
    """
    process = Path(f"/proc/{pid}")
    try:
        if process.stat().st_uid != data.stat().st_uid:
            return False
        return (process / "cwd").samefile(data)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        with contextlib.suppress(OSError):
            return os.fsencode(data) in (process / "cmdline").read_bytes().split(b"\0")
        return False
