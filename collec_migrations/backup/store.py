"""The backups in a folder: what counts as one, what does not, and which were verified."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collec_migrations.backup import lock, manifest
from collec_migrations.backup.manifest import Manifest
from collec_migrations.backup.retention import Kept
from collec_migrations.errors import NotABackup, UsageError
from collec_migrations.postgres import atomic_files

PARTIAL = ".partial"
REMOVED = ".removed"
VERDICT = "verdict.json"
NIGHTLY = "nightly"
ID = re.compile(r"\d{8}T\d{6}Z-.")
"""How the name of every folder begins that this package makes; others belong to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A complete backup."""

    path: Path
    manifest: Manifest
    verdict: str
    """verified, damaged, or empty: nobody tried."""
    verified: datetime | None
    """When the last verification was."""

    @property
    def id(self) -> str:
        """Return the name of its folder."""
        return self.path.name

    @property
    def kept(self) -> Kept:
        """Return what retention has to know."""
        return Kept(
            id=self.id,
            database=self.manifest.database,
            taken=self.manifest.started.astimezone(),
            verified=self.verdict == "verified",
            nightly=self.manifest.reason == NIGHTLY,
            damaged=self.verdict == "damaged",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A folder that looks like a backup and is none."""

    id: str
    why: str


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
        except NotABackup as error:
            broken.append(Broken(id=path.name, why=str(error)))
    return tuple(sorted(whole, key=lambda one: one.manifest.started)), tuple(broken)


def load(path: Path) -> Backup:
    """Return a backup whose files are all there, in their sizes; raise `NotABackup` if not."""
    found = manifest.read(path)
    if found.id != path.name:
        raise NotABackup(f"{path.name} holds the backup {found.id}: its folder was renamed")
    for file in found.files:
        try:
            size = (path / file.path).stat().st_size
        except OSError as error:
            raise NotABackup(f"{path.name} lacks its file {file.path}") from error
        if size != file.size:
            raise NotABackup(f"{file.path} of {path.name} has {size} bytes, not {file.size}")
    verdict = _verdict(path, found)
    at = verdict.get("at")
    return Backup(
        path=path,
        manifest=found,
        verdict=str(verdict.get("verdict", "")),
        verified=datetime.fromisoformat(str(at)) if at else None,
    )


def find(folder: Path, id: str) -> Backup:  # noqa: A002  (as the command line calls it)
    """Return a backup by its id, a unique beginning of it, or `last`."""
    whole, broken = backups(folder)
    matches = whole[-1:] if id == "last" else [one for one in whole if one.id.startswith(id)]
    exact = [one for one in whole if one.id == id] or matches
    if len(exact) == 1:
        return exact[0]
    for one in broken:
        if one.id.startswith(id):
            raise NotABackup(f"{one.id} is no backup: {one.why}")
    what = "several backups" if exact else "no backup"
    raise UsageError(f"{what} {id!r} in {folder}", hint="See `collec-migrations backup list`.")


def judge(backup: Backup, verdict: str, **facts: Any) -> None:
    """Write down beside a backup what a verification found."""
    told = {
        "verdict": verdict,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "manifest": manifest.digest(backup.manifest),
        **facts,
    }
    partial = backup.path / f"{VERDICT}{PARTIAL}"
    manifest.write_synced(partial, json.dumps(told, indent=1).encode())
    partial.rename(backup.path / VERDICT)


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


def sweep(folder: Path) -> None:
    """Remove what killed runs have left; the caller holds the lock."""
    for path in folder.iterdir():
        if path.is_dir() and ID.match(path.name) and path.name.endswith((PARTIAL, REMOVED)):
            shutil.rmtree(path)


def remove(folder: Path, id: str) -> bool:  # noqa: A002
    """Remove a backup; it stops being one at once. False: somebody reads it, it stays."""
    path = folder / id
    if lock.is_read(path):
        return False
    gone = path.with_name(id + REMOVED)
    path.rename(gone)
    atomic_files.sync(folder)
    shutil.rmtree(gone)
    return True


def _looks_like_one(path: Path) -> bool:
    """Tell a backup, whole, broken or renamed, from a folder of somebody else, as lost+found."""
    named = ID.match(path.name) or os.access(path / manifest.NAME, os.F_OK)
    return path.is_dir() and not path.name.startswith(".") and bool(named)


def _verdict(path: Path, found: Manifest) -> Mapping[str, object]:
    """Return the last verdict; none when it is about another manifest or cannot be read."""
    try:
        told = json.loads((path / VERDICT).read_bytes())
        return told if told["manifest"] == manifest.digest(found) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
