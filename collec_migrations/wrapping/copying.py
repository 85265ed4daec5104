"""Copies of the scripts, byte by byte, under their own names: none takes another one's place."""

from collections.abc import Iterable
from pathlib import Path

from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.postgres import atomic_files
from collec_migrations.versions import Source
from collec_migrations.wrapping import reading


class NameTaken(UsageError):
    """Two scripts of one name, which would be copied to one place."""


class NotWritten(MigrationError):
    """A file of a wrapped version cannot be written; what was written before is whole."""


def refuse_taken(sources: Iterable[Source], folder: Path) -> None:
    """Raise `NameTaken` when a copy would replace another script's, new or there already."""
    found: dict[str, Source] = {}
    for source in sources:
        other = found.setdefault(source.name, source)
        copy = folder / source.name
        if other.checksum == source.checksum and copy.is_file():
            other = reading.load(copy)
        if other.checksum != source.checksum:
            raise NameTaken(
                f"{source.path} and {other.path} are not the same, and would be one file"
                f" in {folder}",
                hint="Rename one of them, also where it is included; or remove the copy, if no "
                "wrapped version needs it any more.",
            )


def copy(source: Source, folder: Path) -> None:
    """Put a script's bytes into a folder, unless they are there; raise `NotWritten`."""
    target = folder / source.name
    if not target.is_file():
        try:
            content = source.path.read_bytes()
        except OSError as error:
            raise NotWritten(f"cannot read {source.path}: {error.strerror}") from None
        put(target, content)


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, its folder too; raise `NotWritten`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_files.write_public(path, content)
    except OSError as error:
        raise NotWritten(
            f"cannot write {path}: {error.strerror}",
            hint="Versions that were written before are whole: put that right and run it again.",
        ) from None
