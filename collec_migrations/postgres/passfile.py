"""A password file of libpq (manual, 34.16): write entries, keep what others wrote."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import PassfileError
from collec_migrations.postgres import atomic_files
from collec_migrations.postgres.password import Password

ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: the password for a user on a database of a server. `*` stands for any."""

    host: str
    """As it is given to libpq; `localhost` also stands for the default socket."""
    port: str = ANY
    database: str = ANY
    user: str
    password: Password

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What libpq compares."""
        return self.host, self.port, self.database, self.user

    @property
    def line(self) -> str:
        """The line, with `:` and `\\` escaped."""
        return ":".join(map(_escaped, (*self.key, self.password.clear)))


def write(path: Path, entries: Sequence[Entry]) -> bool:
    """Let a password file give these passwords; return whether it had to be changed.

    New entries come first, since libpq takes the first line that matches; other lines stay. The
    file has mode 0600 from its first byte and is replaced in one go. Raises PassfileFailed.
    """
    old = read(path)
    new = _written(old, entries)
    try:
        if new == old and path.exists() and path.stat().st_mode & 0o077 == 0:
            return False
        atomic_files.write_private(path.resolve(), new.encode())
    except OSError as error:
        raise PassfileError(
            f"the password file {path} cannot be written: {(error.strerror or '').lower()}",
            hint="Name a file in a folder of your own.",
        ) from error
    return True


def read(path: Path) -> str:
    """Return the text of a password file, empty when there is none. Raises PassfileFailed."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "not UTF-8"
        raise PassfileError(f"the password file {path} cannot be read: {why}") from error


def lookup(text: str, key: tuple[str, str, str, str]) -> str | None:
    """Return the password that libpq would take from the text of a file, if any."""
    for line in text.splitlines():
        fields = _fields(line)
        if len(fields) < 5 or line.startswith("#"):
            continue
        if all(given in (ANY, wanted) for given, wanted in zip(fields, key, strict=False)):
            return fields[4]
    return None


def _written(text: str, entries: Iterable[Entry]) -> str:
    # The general ones below the special ones, which they would hide.
    for entry in sorted(entries, key=lambda one: -one.key.count(ANY)):
        if lookup(text, entry.key) == entry.password.clear:
            continue
        others = [line for line in text.splitlines(keepends=True) if not _is_for(line, entry)]
        text = f"{entry.line}\n{''.join(others)}"
    return text


def _is_for(line: str, entry: Entry) -> bool:
    return not line.startswith("#") and tuple(_fields(line.rstrip("\r\n"))[:4]) == entry.key


def _fields(line: str) -> list[str]:
    """Return the fields of a line, unescaped."""
    fields, escaped = [""], False
    for character in line:
        if escaped or character not in "\\:":
            fields[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            fields.append("")
    return fields


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")
