"""The backups in a folder: what counts as one, what does not, and which were verified."""

import hashlib
import json
import os
import pwd
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collec_migrations.backup import manifest
from collec_migrations.backup.manifest import Manifest
from collec_migrations.backup.retention import Kept
from collec_migrations.errors import BackupDamaged, BackupInProgress, NotABackup, UsageError
from collec_migrations.postgres import files

PARTIAL = ".partial"
REMOVED = ".removed"
VERDICT = "verdict.json"
ACCEPTED = "accepted.json"
"""Somebody looked at the fall of rows of this backup."""
GLOBALS = "globals.sql"
DATABASE = "database.json"
FILES = "files"
NIGHTLY = "nightly"
REHEARSAL = "rehearsal"
ID = re.compile(r"\d{8}T\d{6}Z-.")
"""How the name of every folder begins that this package makes; others belong to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A complete backup."""

    path: Path
    manifest: Manifest
    verdict: str = ""
    """verified, damaged, or empty: nobody tried."""
    verified: datetime | None = None
    """When the last verification was."""
    accepted: bool = False
    """Whether somebody looked at the fall of its rows and said that it is right."""

    @property
    def id(self) -> str:
        """Return the name of its folder."""
        return self.path.name

    @property
    def is_fallen(self) -> bool:
        """Say whether its rows fell and nobody has looked yet."""
        return bool(self.manifest.falls) and not self.accepted

    @property
    def kept(self) -> Kept:
        """Return what retention has to know."""
        return Kept(
            id=self.id,
            database=self.manifest.database,
            taken=self.manifest.started.astimezone(),
            verified=self.verdict == "verified",
            nightly=self.manifest.reason == NIGHTLY,
            server=self.manifest.system_identifier,
            position=self.manifest.position,
            damaged=self.verdict == "damaged",
            fallen=self.is_fallen,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A folder that looks like a backup and is none."""

    id: str
    why: str
    unreadable: bool = False
    """Whether it may be sound, and this account cannot tell."""


def prepare(folder: Path) -> None:
    """Make the folder, for its owner alone; raise `UsageError` when that cannot be."""
    try:
        make_private(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made a folder: {error.strerror}") from error


def make_private(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing, for their owner alone."""
    for path in reversed((folder, *folder.parents)):
        if not path.is_dir():
            path.mkdir(mode=0o700)  # `parents=True` would open those above to others


def check_there(folder: Path) -> None:
    """Raise `UsageError` when there is no such folder."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="Take a backup first: backup run.")


def backups(folder: Path) -> tuple[tuple[Backup, ...], tuple[Broken, ...]]:
    """Return the backups of a folder, oldest first, and what is none though it looks like one."""
    check_there(folder)
    whole, broken = [], []
    # Absolute: the programs that read a backup are started in another folder.
    for path in sorted(folder.absolute().iterdir()):
        if not _looks_like_one(path) or path.name.endswith(REMOVED):
            continue
        if path.name.endswith(PARTIAL):
            broken.append(Broken(id=path.name, why="it was never completed"))
            continue
        try:
            whole.append(load(path))
        except PermissionError:
            broken.append(Broken(id=path.name, why=whose(path), unreadable=True))
        except NotABackup as error:
            broken.append(Broken(id=path.name, why=str(error)))
    return tuple(sorted(whole, key=lambda one: one.manifest.started)), tuple(broken)


def whose(path: Path) -> str:
    """Return whose a path is, for an account that may not read it."""
    found = path.lstat()
    with suppress(KeyError):
        name = pwd.getpwuid(found.st_uid).pw_name
        return f"it belongs to {name}, mode {found.st_mode & 0o7777:04o}"
    return f"it belongs to user id {found.st_uid}, mode {found.st_mode & 0o7777:04o}"


def last_of(
    there: Sequence[Backup], origin: tuple[str, str], *, accepted: bool = False
) -> Backup | None:
    """Return the last backup of a server's database; `accepted`: that is sound and did not fall.

    A backup that does not name its server counts for any.
    """
    system_identifier, database = origin
    its = [
        one
        for one in there
        if one.manifest.database == database
        and one.manifest.system_identifier in ("", system_identifier)
        and not (accepted and (one.verdict == "damaged" or one.is_fallen))
    ]
    return max(its, key=lambda one: one.manifest.age_key, default=None)


def load(path: Path) -> Backup:
    """Return a backup whose files are all there, in their sizes; raise `NotABackup` if not."""
    found = manifest.read(path)
    if found.id != path.name:
        raise NotABackup(f"{path.name} holds the backup {found.id}: its folder was renamed")
    for file in found.files:
        try:
            size = (path / file.path).stat().st_size
        except PermissionError:
            raise
        except OSError as error:
            raise NotABackup(f"{path.name} lacks its file {file.path}") from error
        if size != file.size:
            raise NotABackup(f"{file.path} of {path.name} has {size} bytes, not {file.size}")
    verdict = _beside(path / VERDICT, found)
    at = verdict.get("at")
    return Backup(
        path=path,
        manifest=found,
        verdict=str(verdict.get("verdict", "")),
        verified=datetime.fromisoformat(str(at)) if at else None,
        accepted=bool(_beside(path / ACCEPTED, found)),
    )


def find(folder: Path, id: str, *, database: str = "") -> Backup:  # noqa: A002  (as it is typed)
    """Return a backup by its id, a unique beginning of it, or `last`: of this database.

    Raises `UsageError` where it is not clear which backup is meant, `NotABackup` for one that
    cannot be used; also for `last` when a newer one cannot be read by this account.
    """
    whole, broken = backups(folder)
    if id == "last":
        return _last(folder, whole, broken, database)
    matches = [one for one in whole if one.id.startswith(id)]
    exact = [one for one in whole if one.id == id] or matches
    if len(exact) == 1:
        return exact[0]
    for one in broken:
        if one.id.startswith(id):
            raise NotABackup(f"{one.id} is no backup: {one.why}")
    what = "several backups" if exact else "no backup"
    raise UsageError(f"{what} {id!r} in {folder}", hint="See `collec-migrations backup list`.")


def _last(folder: Path, whole: Sequence[Backup], broken: Sequence[Broken], database: str) -> Backup:
    its = [one for one in whole if database in ("", one.manifest.database)]
    origins = {one.manifest.origin: one for one in its}
    if not its:
        what = f"no backup of {database!r}" if database else "no backup"
        raise UsageError(f"{what} in {folder}", hint="See `collec-migrations backup list`.")
    if len(origins) > 1:
        named = "; ".join(
            f"{one.manifest.database!r} of {one.manifest.server or 'an unknown server'}: {one.id}"
            for one in origins.values()
        )
        raise UsageError(
            f"{folder} holds backups of {len(origins)} databases, and `last` may be any: {named}",
            hint="Add --app DIR or --database NAME, or give the id.",
        )
    found = max(its, key=lambda one: one.manifest.age_key)
    for one in broken:
        if one.unreadable and one.id > found.id:
            raise NotABackup(
                f"{one.id} is newer and cannot be read: {one.why}",
                hint=f"Run this as the account that takes the backups, or name {found.id}.",
            )
    return found


def judge(backup: Backup, verdict: str, **facts: Any) -> None:
    """Write down beside a backup what a verification found."""
    _write_beside(backup, VERDICT, verdict=verdict, **facts)


def accept(backup: Backup) -> None:
    """Write down beside a backup that somebody looked at the fall of its rows."""
    _write_beside(backup, ACCEPTED)


def _write_beside(backup: Backup, name: str, **facts: Any) -> None:
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "manifest": manifest.digest(backup.manifest),
        **facts,
    }
    partial = backup.path / f"{name}{PARTIAL}"
    files.replace(backup.path / name, json.dumps(told, indent=1).encode(), partial=partial)


def give_to_owner_of(folder: Path, *paths: Path) -> None:
    """Give what root wrote into the folder of another account to that account."""
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    for path in paths:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def new_id(folder: Path, database: str, now: datetime) -> str:
    """Return an id that sorts by time, names the database and is a plain name of a folder."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", database)[:40]
    if plain != database:
        plain += "-" + hashlib.sha256(database.encode()).hexdigest()[:6]
    base = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{plain}"
    taken, number = base, 2
    while (folder / taken).exists():
        taken, number = f"{base}.{number}", number + 1
    return taken


def sweep(folder: Path) -> Iterator[str]:
    """Remove what killed runs have left; the caller holds the  Yield what has to stay."""
    for path in folder.iterdir():
        if path.is_dir() and ID.match(path.name) and path.name.endswith((PARTIAL, REMOVED)):
            try:
                _refuse_foreign(path)
                shutil.rmtree(path)
            except PermissionError:
                yield f"left {path.name}: {whose(path)}"


def remove(folder: Path, id: str) -> str:  # noqa: A002
    """Remove a backup; it stops being one at once. Return why it stays; empty: it is gone."""
    path = folder / id
    if is_read(path):
        return "it is being read"
    try:
        _refuse_foreign(path)
    except PermissionError:
        return whose(path)
    gone = path.with_name(id + REMOVED)
    path.rename(gone)
    files.sync(folder)
    shutil.rmtree(gone)
    return ""


def _refuse_foreign(path: Path) -> None:
    """Raise `PermissionError` when a folder holds what this account may not remove."""
    if os.geteuid() == 0:
        return

    def refuse(error: OSError) -> None:
        raise error

    for folder, _, _ in os.walk(path, onerror=refuse):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(folder)


def _looks_like_one(path: Path) -> bool:
    """Tell a backup, whole, broken or renamed, from a folder of somebody else, as lost+found."""
    named = ID.match(path.name) or os.access(path / manifest.NAME, os.F_OK)
    return path.is_dir() and not path.name.startswith(".") and bool(named)


def _beside(path: Path, found: Manifest) -> Mapping[str, object]:
    """Return what was written beside a backup; nothing when it is about another manifest."""
    try:
        told = json.loads(files.read(path))
        return told if told["manifest"] == manifest.digest(found) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder; give its descriptor, for programs that must not outlive it.

    A dump that goes on after we were killed inherits it, and so keeps the next run out.
    """
    descriptor = files.open_lock(folder / LOCK)  # the folder's own account takes it the next time
    try:
        if not files.try_lock(descriptor):
            holder = os.read(descriptor, 100).decode(errors="replace").strip()
            raise BackupInProgress(
                f"another backup into {folder} is running ({holder or 'just started'})",
                hint="Wait until it has ended; a dump goes on for a while when its run was killed.",
            )
        os.truncate(descriptor, 0)
        os.write(descriptor, f"pid {os.getpid()}\n".encode())
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def reading(backup: Path) -> Iterator[None]:
    """Keep others from removing a backup in this block."""
    descriptor = files.open_plain(backup / manifest.NAME)
    try:
        files.share_lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def is_read(backup: Path) -> bool:
    """Tell whether somebody restores or verifies a backup at this moment."""
    try:
        descriptor = files.open_plain(backup / manifest.NAME)
    except OSError:
        return False
    try:
        return not files.try_lock(descriptor)
    finally:
        os.close(descriptor)


OURS = (
    manifest.NAME,
    *(VERDICT, f"{VERDICT}{PARTIAL}"),
    *(ACCEPTED, f"{ACCEPTED}{PARTIAL}"),
)


def problems(backup: Backup) -> Iterator[str]:
    """Yield what differs from the manifest: a file changed, cut, missing or added."""
    known = {file.path: file for file in backup.manifest.files}
    for path, file in known.items():
        found = backup.path / path
        if not found.is_file():
            yield f"{path} is missing"
        elif found.stat().st_size != file.size:
            yield f"{path} has {found.stat().st_size} bytes, not {file.size}"
        elif manifest.checksum(found) != file.sha256:
            yield f"{path} is not what was written: its checksum differs"
    for found in sorted(backup.path.rglob("*")):
        path = str(found.relative_to(backup.path))
        if found.is_file() and path not in known and path not in OURS:
            yield f"{path} was added"


def refuse_damaged(backup: Backup) -> None:
    """Raise `Damaged` unless every file is as it was written: restoring runs what is in them."""
    found = list(problems(backup))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise BackupDamaged(
            f"{backup.id} is damaged: {found[0]}{more}",
            hint="Restore another backup; `collec-migrations backup list` shows them.",
        )
