"""Where settings of ours stand: a file in `conf.d`, or a block at the end of postgresql.conf."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import UsageError
from collec_migrations.postgres import config_block, hba_tokens
from collec_migrations.postgres.config_block import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file that the server reads, and what it holds now."""

    file: Path
    whole: bool
    """Whether the file is ours alone."""
    old: str

    def text(self, name: str, settings: Mapping[str, str]) -> str:
        """Return what the file has to hold so that it gives these settings, too.

        Settings that the block gives already stay, unless these give them another value.
        """
        kept = config_block.inner(self.old, name).splitlines()
        lines = {line.partition("=")[0].strip(): line for line in kept}
        lines |= {key: f"{key} = {quoted(value)}" for key, value in settings.items()}
        ours = Block(name=name, lines=tuple(lines.values()))
        return ours.text if self.whole else ours.last_in(self.old)


def find(main: Path, name: str, old: str, *, version: int) -> Place:
    """Return the place for the settings `name`, given the main file and its text.

    A directory that the main file includes is taken when it exists: `conf.d` on Debian.
    """
    for line in hba_tokens.lines(old.replace("=", " "), version=version):
        words = [field[0].text for field in line.fields]
        if words[0].lower() != "include_dir" or len(words) < 2:
            continue
        folder = main.parent / words[1].strip("'")
        if folder.is_dir():
            file = folder / f"{name}.conf"
            held = file.read_text("utf-8") if file.exists() else ""
            return Place(file=file, whole=True, old=held)
    return Place(file=main, whole=False, old=old)


def quoted(value: str) -> str:
    """Return a value as postgresql.conf takes it (manual, 19.1.2); raise `UsageError`."""
    if "\n" in value or "\0" in value:
        raise UsageError(f"a setting of the server cannot hold a line break: {value!r}")
    # Backslashes escape in these literals, whatever standard_conforming_strings says.
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
