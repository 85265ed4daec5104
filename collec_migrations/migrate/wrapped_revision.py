"""What a wrapped revision stands for: a script that must be as it was, and no way back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collec_migrations.errors import DowngradeRefused, MigrationError
from collec_migrations.wrapping import script as loading
from collec_migrations.wrapping.script import Script


class ScriptChanged(MigrationError):
    """A wrapped script is another than the one that was wrapped."""


def read(names: str, checksum: str, *folders: Path) -> Script:
    """Return the script of a revision: each of its files from the first folder that has it."""
    files = [_found(name, folders) for name in names.split(", ")]
    script = loading.read(files)
    script.refuse()
    if script.checksum != checksum:
        raise ScriptChanged(
            f"{', '.join(str(file) for file in files)}: the script changed since it was wrapped",
            hint="Put the file back as it was, or remove it and its revision and wrap it again.",
        )
    return script


def _found(name: str, folders: Sequence[Path]) -> Path:
    places = [folder / name for folder in folders]
    return next((place for place in places if place.is_file()), places[0])


def refuse_way_back(steps: Sequence[Any]) -> None:
    """Raise `DowngradeRefused` when one of Alembic's steps goes back from a wrapped version."""
    for step in steps:
        module: Any = getattr(getattr(step, "revision", None), "module", None)
        if step.is_downgrade and hasattr(module, "checksum"):
            raise no_way_back(str(module.script))


def no_way_back(script: str) -> DowngradeRefused:
    """Return the refusal to go back from what a script of the application's own did."""
    return DowngradeRefused(
        f"there is no way back from what {script} did; nothing was applied",
        hint="Restore the backup that was taken before the upgrade.",
    )
