"""Files among those of others, read and written so that no link, FIFO or half of a file harms.

Root and `postgres` read and write in folders that belong to others: of backups, of the application,
of a cluster. Whoever may write there could lay a link to a file of the system and have it
emptied, given away or shown. All functions raise OSError.
"""

import errno
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LIMIT = 64 * 2**20
"""Bytes; none of the files that are read whole is near."""


def read(path: Path, *, limit: int = LIMIT) -> bytes:
    """Return what a plain file holds.

    A link is followed if nobody but root or the owner of what it points at can have laid it.
    """
    descriptor = open_plain(path)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _refused(f"it is larger than {limit} bytes", path)
    return content


def open_plain(path: Path) -> int:
    """Return a descriptor of a plain file for reading, under the rules of `read`."""
    # Without O_NONBLOCK the open of a FIFO waits for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    laid_by = os.lstat(path)
    is_link = stat.S_ISLNK(laid_by.st_mode)
    descriptor = os.open(path, flags if is_link else flags | os.O_NOFOLLOW)
    try:
        found = _check_plain(descriptor, path)
        if is_link and laid_by.st_uid not in (0, os.geteuid(), found.st_uid):
            raise _refused("it is a link that somebody else laid", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_lock(path: Path) -> int:
    """Return a descriptor of a file to lock and to write, made for its owner alone (0600)."""
    return _open_own(path, os.O_RDWR)


def try_lock(descriptor: int) -> bool:
    """Lock an open file, as long as its process lives; tell whether nobody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share_lock(descriptor: int) -> None:
    """Lock an open file beside others who read it; who wants it alone finds it taken."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def take_lock(path: Path) -> int | None:
    """Lock a file that its holder removes at the end; None when somebody else has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    # Without a name: its holder removed it between our two calls.
    if try_lock(descriptor) and os.fstat(descriptor).st_nlink:
        return descriptor
    os.close(descriptor)
    return None


def append(path: Path, text: str) -> None:
    """Add a text to the end of a file, made for the owner of its folder alone (0600)."""
    descriptor = _open_own(path, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())


def give_to_owner_of(folder: Path, descriptor: int) -> None:
    """Give an open file that root wrote into another's folder to that account."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, for the owner of its folder alone, down to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        give_to_owner_of(path.parent, file.fileno())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes, *, partial: Path) -> None:
    """Put a file in the place of another, whole; `partial` is removed first if it was left."""
    with suppress(FileNotFoundError):
        partial.unlink()
    write_new(partial, content)
    partial.rename(path)


def _open_own(path: Path, flags: int) -> int:
    """Open a file in another's folder for writing: a plain one of this one name."""
    flags |= os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        found = _check_plain(descriptor, path)
        if found.st_nlink != 1:  # a second name of somebody's file, perhaps
            raise _refused("it has several names", path)
        give_to_owner_of(path.parent, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_plain(descriptor: int, path: Path) -> os.stat_result:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise _refused("it is not a plain file", path)
    return found


def _refused(why: str, path: Path) -> OSError:
    return OSError(errno.EINVAL, why, str(path))


PRIVATE = 0o600
PUBLIC = 0o666
"""Less what the umask takes away."""


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`, keeping owner, mode and extended attributes of a file there.

    A new file is its owner's alone (0600) from the first byte. Raises OSError when the folder does
    not let us, or when the owner cannot be kept; the old file is then untouched.
    """
    _write(path, content, like=path if path.exists() else None, mode=None)


def write_private(path: Path, content: bytes) -> None:
    """Put `content` at `path` for its owner alone (0600), whatever the mode was. Raises OSError."""
    _write(path, content, like=path if path.exists() else None, mode=PRIVATE)


def write_public(path: Path, content: bytes) -> None:
    """Put `content` at `path`; a new file is what the account's umask says. Raises OSError."""
    _write(path, content, like=path if path.exists() else None, mode=None, new=PUBLIC)


def write_like(path: Path, content: bytes, like: Path) -> None:
    """Put `content` at `path` with owner, mode and attributes of another file. Raises OSError."""
    _write(path, content, like=like, mode=None)


def _write(
    path: Path, content: bytes, *, like: Path | None, mode: int | None, new: int = PRIVATE
) -> None:
    # The name ends so that no `include_dir` takes it for a part of the configuration.
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, new)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if like is not None:
                _resemble(file.fileno(), like, mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _resemble(descriptor: int, like: Path, mode: int | None) -> None:
    """Give an open file the owner, the mode and the attributes of another one."""
    model = like.stat()
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (model.st_uid, model.st_gid):
        os.fchown(descriptor, model.st_uid, model.st_gid)
    # Labels of SELinux and access lists; not every file system, nor every account, has them.
    with suppress(OSError):
        for name in os.listxattr(like):
            with suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(like, name))
    os.fchmod(descriptor, stat.S_IMODE(model.st_mode) if mode is None else mode)


def sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


PREFIX = "collec-"
MARK = ".in-use"
"""A file within, locked as long as its process lives."""


def make_temporary(parent: Path) -> tuple[Path, int]:
    """Return a new folder, and the descriptor that keeps it: closed, the next run removes it.

    What killed runs left beside it is removed first.
    """
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    descriptor = os.open(folder / MARK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return folder, descriptor


@contextmanager
def temporary_folder(parent: Path | None) -> Iterator[Path]:
    """Give a new folder for its owner alone, gone at the end."""
    folder, descriptor = make_temporary(parent or Path(tempfile.gettempdir()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Remove the folders that killed runs left; those of others and those in use stay."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if os.geteuid() not in (0, folder.lstat().st_uid):
                continue
            descriptor = os.open(folder / MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if try_lock(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
