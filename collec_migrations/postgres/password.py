"""Passwords: where one comes from, what the server keeps of it, the password file of libpq."""

import getpass
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from psycopg2.extensions import encrypt_password

from collec_migrations.errors import PassfileError, UsageError
from collec_migrations.postgres import files, pg_versions
from collec_migrations.postgres.connection import Connection

VARIABLE = "COLLEC_DB_PASSWORD"
RANDOM_BYTES = 24
"""192 bits: 32 characters that need no quoting anywhere."""

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Password:
    """A password; no text made of it shows it but `clear`."""

    clear: str = field(repr=False)

    def __str__(self) -> str:
        """Show nothing, so that no message and no log can."""
        return "***"

    @classmethod
    def parse(cls, text: str, *, source: str) -> "Password":
        """Return a password that PostgreSQL and a password file can hold; raise `UsageError`."""
        if not text:
            raise UsageError(f"{source} is empty", hint="PostgreSQL refuses empty passwords.")
        if any(character in text for character in "\0\n\r"):
            raise UsageError(
                f"{source} holds a line break or a null character",
                hint="No password file can hold one: choose another password.",
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{source} is not valid UTF-8") from None
        return cls(text)


def from_environment(
    variable: str = VARIABLE, environment: Mapping[str, str] = os.environ
) -> Password | None:
    """Return the password in an environment variable; None when it is not set."""
    text = environment.get(variable)
    return None if text is None else Password.parse(text, source=variable)


def from_terminal(question: str, *, ask: Ask = getpass.getpass) -> Password | None:
    """Ask twice on the terminal, without showing it; None when the answer is empty."""
    first = ask(f"{question}: ")
    if not first:
        return None
    if ask("The same again: ") != first:
        raise UsageError("the two passwords are not the same")
    return Password.parse(first, source="the password")


def generated() -> Password:
    """Return a new random password."""
    return Password(secrets.token_urlsafe(RANDOM_BYTES))


SCRAM = "scram-sha-256"


def algorithm(version: int) -> str:
    """Return the best algorithm of a server, by its `server_version_num`."""
    return pg_versions.text("hba_method", pg_versions.of(version)) or ""


def verifier(connection: Connection, user: str, password: Password) -> str:
    """Return what stands in `create role ... password` for a user, made by libpq.

    Unicode is normalised as libpq does at login (SASLprep). The server's `password_encryption`
    is not asked: it is md5 by default up to 13. Sends nothing.
    """
    how = algorithm(connection.server_version)
    return str(encrypt_password(password.clear, user, connection, how))


ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassfileEntry:
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


def write_passfile(path: Path, entries: Sequence[PassfileEntry]) -> bool:
    """Let a password file give these passwords; return whether it had to be changed.

    New entries come first, since libpq takes the first line that matches; other lines stay. The
    file has mode 0600 from its first byte and is replaced in one go. Raises PassfileFailed.
    """
    old = read_passfile(path)
    new = _written(old, entries)
    try:
        if new == old and path.exists() and path.stat().st_mode & 0o077 == 0:
            return False
        files.write_private(path.resolve(), new.encode())
    except OSError as error:
        raise PassfileError(
            f"the password file {path} cannot be written: {(error.strerror or '').lower()}",
            hint="Name a file in a folder of your own.",
        ) from error
    return True


def read_passfile(path: Path) -> str:
    """Return the text of a password file, empty when there is none. Raises PassfileFailed."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "not UTF-8"
        raise PassfileError(f"the password file {path} cannot be read: {why}") from error


def lookup_password(text: str, key: tuple[str, str, str, str]) -> str | None:
    """Return the password that libpq would take from the text of a file, if any."""
    for line in text.splitlines():
        fields = _fields(line)
        if len(fields) < 5 or line.startswith("#"):
            continue
        if all(given in (ANY, wanted) for given, wanted in zip(fields, key, strict=False)):
            return fields[4]
    return None


def _written(text: str, entries: Iterable[PassfileEntry]) -> str:
    # The general ones below the special ones, which they would hide.
    for entry in sorted(entries, key=lambda one: -one.key.count(ANY)):
        if lookup_password(text, entry.key) == entry.password.clear:
            continue
        others = [line for line in text.splitlines(keepends=True) if not _is_for(line, entry)]
        text = f"{entry.line}\n{''.join(others)}"
    return text


def _is_for(line: str, entry: PassfileEntry) -> bool:
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
