"""What a backup says of itself: every file with its checksum, and what was in the database."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from collec_migrations.errors import NotABackup
from collec_migrations.postgres import files, pg_versions

NAME = "manifest.json"
FORMAT = 2
FORMATS = (1, 2)
"""Those that can be read: 1 names neither server nor locale."""
DIGEST = "digest"
SINCE_2 = ("system_identifier", "server", "position", "collate", "ctype", "falls", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a backup."""

    path: str
    """Below the backup's folder."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A pair of the application's schemas, as `detect` saw it."""

    gacl: str
    col: str
    answer: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that is known of a complete backup."""

    id: str
    database: str
    reason: str
    """nightly, or what it was taken before."""
    started: datetime
    finished: datetime
    tool_version: str
    server_version: str
    client_version: str
    archive: str
    """custom or directory."""
    compression: str
    encoding: str
    database_size: int
    extensions: tuple[str, ...]
    schemas: tuple[Schema, ...]
    rows: Mapping[str, int]
    """Of each table, at the moment of the dump."""
    large_objects: int
    passwords: bool
    """Whether the roles in globals.sql have theirs."""
    left_out: tuple[str, ...]
    """Configuration files that could not be read."""
    files: tuple[File, ...]
    system_identifier: str = ""
    """Of the server (pg_control_system), which its standbys share; empty: not known."""
    server: str = ""
    """Where the server was, for people: machine, port, name of the cluster."""
    position: int = 0
    """The server's next transaction: grows from one backup to the next, whatever the clocks say."""
    collate: str = ""
    ctype: str = ""
    """The locale of the database; empty: not known."""
    settings: tuple[tuple[str, str], ...] = ()
    """Of the database: role, or empty for all, and `name=value`."""
    falls: tuple[str, ...] = ()
    """Where rows fell by a half or more since the last sound backup, one line each."""
    format: int = FORMAT

    @property
    def server_major(self) -> float:
        """Return the major version of the server that was dumped."""
        return pg_versions.number_of(self.server_version)

    @property
    def client_major(self) -> float:
        """Return the major version of the pg_dump that wrote the archive."""
        return pg_versions.number_of(self.client_version)

    @property
    def origin(self) -> tuple[str, str]:
        """Return whose backup this is: the server and the database."""
        return self.system_identifier, self.database

    @property
    def age_key(self) -> tuple[int, datetime]:
        """Return what orders the backups of one origin: the server's word before any clock."""
        return self.position, self.started

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return (self.finished - self.started).total_seconds()


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder, with a digest of itself, down to the disk."""
    told = facts(manifest)
    text = json.dumps({**told, DIGEST: _digest(told)}, indent=1, ensure_ascii=False)
    write_synced(folder / NAME, text.encode())


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder; raise `NotABackup` when it is missing, edited or cut.

    Raises `PermissionError` when this account may not read it.
    """
    try:
        told = json.loads(files.read(folder / NAME))
        digest = told.pop(DIGEST)
        if digest != _digest(told):
            raise NotABackup(
                f"the manifest of {folder.name} was changed",
                hint="Do not trust this backup; restore another one.",
            )
        return _manifest(told)
    except FileNotFoundError as error:
        raise NotABackup(f"{folder.name} has no manifest: it was never completed") from error
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotABackup(f"the manifest of {folder.name} cannot be read") from error


def digest(manifest: Manifest) -> str:
    """Return the digest that tells this manifest from any other."""
    return _digest(facts(manifest))


def describe(folder: Path) -> tuple[File, ...]:
    """Return every file below a folder, by path, with size and checksum; the manifest apart."""
    return tuple(
        File(path=str(path.relative_to(folder)), size=path.stat().st_size, sha256=checksum(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / NAME
    )


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with os.fdopen(files.open_plain(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_synced(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, and wait until the disk has it."""
    path.unlink(missing_ok=True)  # never into what somebody else may have laid there
    files.write_new(path, content)


def facts(manifest: Manifest) -> dict[str, Any]:
    """Return every fact as JSON has it."""
    found = asdict(manifest)
    if manifest.format == 1:  # as it was written, or its digest would be another one
        for name in SINCE_2:
            del found[name]
    found["started"] = manifest.started.isoformat()
    found["finished"] = manifest.finished.isoformat()
    return {name: list(one) if isinstance(one, tuple) else one for name, one in found.items()}


def _manifest(found: dict[str, Any]) -> Manifest:
    known = {one.name for one in fields(Manifest)}
    if found["format"] not in FORMATS or (found["format"] == FORMAT and found.keys() != known):
        raise ValueError("another format")
    found["started"] = datetime.fromisoformat(found["started"])
    found["finished"] = datetime.fromisoformat(found["finished"])
    found["schemas"] = tuple(Schema(**one) for one in found["schemas"])
    found["files"] = tuple(File(**one) for one in found["files"])
    for file in found["files"]:
        if Path(file.path).is_absolute() or ".." in Path(file.path).parts:
            raise ValueError("a file that is not below the folder")
    found["settings"] = tuple((role, setting) for role, setting in found.get("settings", ()))
    for name in ("extensions", "left_out", "falls"):
        found[name] = tuple(found.get(name, ()))
    return Manifest(**found)


def _digest(found: Mapping[str, Any]) -> str:
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
