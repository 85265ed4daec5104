"""Write a file so that a reader sees the old one or the new one, whole, whoever is killed."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

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
