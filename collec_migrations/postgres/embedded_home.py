"""Where the server of a folder keeps its data: in `.collec`, or where its account can reach it."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import account, sockets
from collec_migrations.postgres.account import Account

NAME = ".collec"
SHARED = Path("/var/lib/collec-migrations")
Say = Callable[[str], None]


def claim(folder: Path) -> Path:
    """Return the folder's `.collec`, made when it is not there."""
    if "\n" in str(folder) or "\r" in str(folder):
        raise ServerFailed(
            f"the path of the folder holds a line break: {str(folder)!r}",
            hint="PostgreSQL's own files cannot hold such a path: use another folder.",
        )
    private = folder / NAME
    if not os.path.lexists(private):
        private.mkdir(mode=0o700, exist_ok=True)
    check_owner(private)
    ignore = private / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return private


def check_owner(private: Path) -> None:
    """Refuse a `.collec` of somebody else: root would do as its owner wishes."""
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ServerFailed(f"{private} is not a folder", hint="Move it away.")
    if found.st_uid != os.geteuid():
        name = account.owner(found.st_uid).name
        raise ServerFailed(
            f"{private} belongs to {name}", hint=f"Run the command as {name}, or elsewhere."
        )


def ensure_shared(folder: Path, mode: int) -> None:
    """Make a folder of root below /var, with this mode whatever the umask is."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(mode)


def home_of(private: Path) -> Path | None:
    """Return the folder of the server, when one was made and given to its account."""
    pointer = private / "elsewhere"
    home = Path(pointer.read_text().strip()) if pointer.exists() else private / "server"
    if not home.is_dir() or (os.geteuid() == 0 and home.stat().st_uid == 0):
        return None
    return home


def choose_home(private: Path, who: Account, say: Say) -> Path:
    """Make the folder of a new server, and leave a note when it is not in `.collec`."""
    home = private / "server"
    if not who.is_caller:
        # To pass through, not to look: what is inside belongs to the account alone.
        private.chmod(0o711)
        if not who.reaches(private):
            ensure_shared(SHARED, 0o711)
            home = SHARED / sockets.fingerprint(private)
            (private / "elsewhere").write_text(f"{home}\n")
            say(f"the data go to {home}: {who.name}, who runs the server, cannot reach {private}")
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, who.uid, who.gid, follow_symlinks=False)
    return home
