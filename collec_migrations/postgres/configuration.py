"""The server's configuration files: where they are, whether they are ours, and a change on trial.

The old file is back unless the new one proves good, also when this process is killed.
"""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg2

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    ConfigurationNotRestored,
    MigrationError,
    UsageError,
)
from collec_migrations.postgres import files, postmaster, programs, signals
from collec_migrations.postgres.connection import Connection, first_line

PATIENCE = 15.0
"""Seconds that a server may take to read its files again."""

Reconnect = Callable[[], Connection]


def path(connection: Connection, setting: str) -> Path:
    """Return the path that the server gives for `hba_file`, `config_file` or `data_directory`.

    Raises NotAllowed for a role that is neither superuser nor in pg_read_all_settings.
    """
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.current_setting(%s)", (setting,))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ConfigurationDenied(
                f"this role may not ask for the server's {setting}",
                hint="Connect as a superuser, such as postgres.",
            ) from error
        finally:
            if not connection.autocommit:
                connection.rollback()
        ((found,),) = cursor.fetchall()
    return Path(found)


def local(connection: Connection, file: Path) -> Path:
    """Return the real path of a file of the server that we may replace; raise NotHere if not."""
    seen(connection, file)
    real = file.resolve()
    owner = real.stat().st_uid
    if not os.access(real.parent, os.W_OK | os.X_OK) or os.geteuid() not in (0, owner):
        raise ConfigurationElsewhere(f"this account may not replace {real}", hint=_WHO)
    return real


def seen(connection: Connection, file: Path) -> bytes:
    """Return what is in a file of the server; raise NotHere when it cannot be read on this machine.

    That the path exists here proves nothing (a container, a tunnel): the server is asked for the
    content, where it may tell, and has to be on this machine otherwise.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationElsewhere(
            f"cannot read {file}: {(error.strerror or '').lower()}", hint=_WHO
        ) from error
    held = _held(connection, file)
    if held is not None and held != content:
        raise ConfigurationElsewhere(
            f"{file} on this machine is not the file of that server", hint=_WHERE
        )
    if held is None and not _beside_us(connection):
        raise ConfigurationElsewhere("the server is on another machine", hint=_WHERE)
    return content


_WHO = "Run as root or as the account of the server, such as postgres."
_WHERE = "Run this command on the machine of the server."


def reason(error: Exception) -> str:
    """Return why a file could not be written, with its name."""
    if not isinstance(error, OSError):
        return str(error)
    return f"{(error.strerror or '').lower()}: {error.filename2 or error.filename}"


def _held(connection: Connection, file: Path) -> bytes | None:
    """Return what the server says is in a file; None when it may not tell."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.pg_read_binary_file(%s)", (str(file),))
            ((content,),) = cursor.fetchall()
        except psycopg2.Error:
            # Not a superuser, or before 11 a file outside of the data folder.
            return None
        finally:
            if not connection.autocommit:
                connection.rollback()
    return bytes(content)


def _beside_us(connection: Connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select inet_server_addr() is null or inet_server_addr() = inet_client_addr()"
        )
        ((beside,),) = cursor.fetchall()
    return bool(beside)


def reload(connection: Connection, reconnect: Reconnect) -> None:
    """Let the server read its files again, and return once new sessions live under them.

    `reconnect` opens a new session of the same role: that it cannot is an error as well.
    Raises NotAllowed, ConnectionFailed, and MigrationError when the server does not do it in time.
    """
    before = _load_time(reconnect)
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.pg_reload_conf()")
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ConfigurationDenied(
                "this role may not let the server reload its configuration",
                hint="Connect as a superuser, such as postgres.",
            ) from error
        finally:
            if not connection.autocommit:
                connection.rollback()
    deadline = time.monotonic() + PATIENCE
    # A session inherits the time from the postmaster, which reads both files before the next one.
    while _load_time(reconnect) == before:
        if time.monotonic() > deadline:
            raise MigrationError(
                "the server did not reload its configuration",
                hint="See the server's log; it may have found a fault in its files.",
            )
        time.sleep(0.02)


def reload_if_possible(connection: Connection, reconnect: Reconnect) -> None:
    """Let the server read its files again after they were put back; a failure hides no other."""
    with suppress(MigrationError, psycopg2.Error):
        reload(connection, reconnect)


def _load_time(reconnect: Reconnect) -> object:
    with closing(reconnect()) as session, session.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.pg_conf_load_time()")
        except psycopg2.Error as error:
            raise MigrationError(first_line(error)) from error
        ((when,),) = cursor.fetchall()
    return when


def decoded(content: bytes) -> str:
    """Return the text of a file; what is not UTF-8, as in old comments, survives `encoded`."""
    return content.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """Return the bytes of a text from `decoded`."""
    return text.encode("utf-8", "surrogateescape")


KEYWORDS = ("all", "sameuser", "samerole", "samegroup", "replication")
PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines that stand together in a file, under a name of their own."""

    name: str
    """What they are for; one line."""
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines between their markers."""
        return "".join(f"{line}\n" for line in (_begin(self.name), *self.lines, _end(self.name)))

    def first_in(self, text: str) -> str:
        """Return a file's text with the block above every rule, and nowhere else.

        The first rule that matches decides: above, the block does. It stands below the comments
        at the head of the file.
        """
        rest = without_block(text, self.name)
        head = _head(rest)
        return rest[:head] + self.text + rest[head:]

    def is_first_in(self, text: str) -> bool:
        """Tell whether only blocks of ours, which are about other roles, stand above the block."""
        found = _BLOCK.findall(text)
        others = text
        for name in found:
            others = others if name == self.name else without_block(others, name)
        return self.first_in(others) == others

    def last_in(self, text: str) -> str:
        """Return a file's text with the block at the end, where the last setting decides."""
        rest = without_block(text, self.name)
        separator = "" if not rest or rest.endswith("\n") else "\n"
        return rest + separator + self.text


def without_block(text: str, name: str) -> str:
    """Return a file's text without the block of a name; raise `UsageError` for half of one."""
    before, begin, rest = _split(text, _begin(name))
    if not begin:
        if _split(text, _end(name))[1]:
            raise UsageError(
                f"a marker is alone in the file: {_end(name)}",
                hint="Remove that line; everything else is left alone.",
            )
        return text
    _, end, after = _split(rest, _end(name))
    if not end:
        raise UsageError(
            f"a marker has no end in the file: {_begin(name)}",
            hint=f"Add the line {_end(name)!r} where the block ends.",
        )
    return without_block(before + after, name)


def inside_block(text: str, name: str) -> str:
    """Return what stands between the markers of a name; empty when there are none."""
    _, _, rest = _split(text, _begin(name))
    found, end, _ = _split(rest, _end(name))
    return found if end else ""


def quoted_name(name: str) -> str:
    """Return a name of a role or database as pg_hba.conf takes it; raise `UsageError`.

    From 16 on `/` begins a regular expression even in quotes.
    """
    if "\n" in name or name.startswith("/"):
        raise UsageError(
            f"no rule of pg_hba.conf can hold the name {name!r}",
            hint="Choose a name without a line break that does not begin with a slash.",
        )
    if PLAIN.fullmatch(name) and name not in KEYWORDS:
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


_BLOCK = re.compile(r"^# >>> collec-migrations (.*)$", re.MULTILINE)


def _begin(name: str) -> str:
    return f"# >>> collec-migrations {name}"


def _end(name: str) -> str:
    return f"# <<< collec-migrations {name}"


def _split(text: str, marker: str) -> tuple[str, str, str]:
    """Return what is before and after a line, and the line."""
    at = 0
    for line in text.splitlines(keepends=True):
        if line.strip() == marker:
            return text[:at], line, text[at + len(line) :]
        at += len(line)
    return text, "", ""


def _head(text: str) -> int:
    """Return where the first line is that is neither a comment nor empty."""
    at = 0
    for line in text.splitlines(keepends=True):
        is_comment = line.lstrip().startswith("#") and not line.startswith(_begin(""))
        if line.strip() and not is_comment:
            break
        if line.rstrip("\r\n").endswith("\\") or not line.endswith("\n"):
            return 0  # from 14 on this comment goes on, and would take our first line with it
        at += len(line)
    return at


# The shell waits for one word, or for our death. Words: file, its copy (may be empty), the process
# that has to read the file again (may be empty).
GUARD = """
read -r word
[ "$word" = kept ] && exit 0
if [ -n "$1" ]; then mv -f -- "$1" "$0"; else rm -f -- "$0"; fi || exit 1
if [ -n "$2" ]; then kill -HUP "$2"; fi
exit 0
"""


@contextmanager
def on_trial(
    path: Path, content: bytes, *, reader: int | None = None, like: Path | None = None
) -> Iterator[Path | None]:
    """Put `content` at `path` for the length of the block, and for good if the block ends well.

    Gives the copy of the old file, which stays beside it; None when there was none. When the block
    fails, when SIGINT, SIGTERM or SIGHUP arrives, and when this process is killed, the old file
    comes back with its owner, mode and bytes, and process `reader` is sent SIGHUP. A file that is
    new gets owner and mode of `like`.
    Raises OSError before anything is changed, and NotPutBack.
    """
    with signals.raised():
        copy = _copied(path)
        words = (str(path), str(copy or ""), str(reader or ""))
        with subprocess.Popen(
            ("/bin/sh", "-c", GUARD, *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=programs.environment(),
            start_new_session=True,
        ) as guard:
            _write_on_trial(guard, path, content, copy, like)
            try:
                yield copy
            except BaseException:
                _put_back(guard, path, copy)
                raise
            with signals.ignored():
                guard.communicate(b"kept\n")


def _copied(path: Path) -> Path | None:
    """Copy the old file beside it, with owner and mode; None when there is none."""
    if not path.exists():
        return None
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    copy = path.with_name(f"{path.name}.before-{now}")
    files.write_like(copy, path.read_bytes(), like=path)
    return copy


def _write_on_trial(
    guard: subprocess.Popen[bytes], path: Path, content: bytes, copy: Path | None, like: Path | None
) -> None:
    """Put the new file in its place; when that fails nothing has changed, and no copy stays."""
    try:
        if copy is None and like is not None:
            files.write_like(path, content, like)
        else:
            files.write(path, content)
    except OSError:
        guard.communicate(b"kept\n")
        if copy is not None:
            copy.unlink()
        raise


def _put_back(guard: subprocess.Popen[bytes], path: Path, copy: Path | None) -> None:
    with signals.ignored():
        guard.communicate(b"")
        if guard.returncode != 0:
            raise ConfigurationNotRestored(
                f"{path} could not be put back as it was",
                hint=f"Put it back yourself: mv {copy} {path}" if copy else f"Remove {path}.",
            )
        files.sync(path.parent)


def change(
    connection: Connection,
    file: Path,
    content: bytes,
    *,
    reconnect: Reconnect,
    check: Callable[[], None],
    proofs: Sequence[Callable[[], None]] = (),
    refused: type[MigrationError],
    like: Path | None = None,
) -> Path | None:
    """Put `content` at `file`, let the server check and load it, and let the proofs run.

    Returns the copy of the old file, if there was one. When `check` or a proof raises a
    MigrationError, on a signal and when this process is killed, the old file comes back and is
    loaded; the error is then told as `refused`. Raises OSError and ConfigurationNotRestored.
    """
    try:
        with on_trial(file, content, reader=_server_process(connection), like=like) as copy:
            check()
            reload(connection, reconnect)
            for proof in proofs:
                proof()
            return copy
    except ConfigurationNotRestored:
        raise
    except MigrationError as error:
        reload_if_possible(connection, reconnect)
        raise refused(f"{error}; {file} is as it was", hint=error.hint) from error
    except BaseException:
        reload_if_possible(connection, reconnect)
        raise


def _server_process(connection: Connection) -> int | None:
    """Return the server's process when it is one of this machine that we can be sure of."""
    with suppress(MigrationError, OSError):
        found = postmaster.running(path(connection, "data_directory"))
        return found.pid if found else None
    return None


def by_hand(error: Exception, *, what: str, where: str, lines: str) -> MigrationError:
    """Return the error that says why a file was not written, with the lines to paste."""
    hint = f"{error.hint} Or put" if isinstance(error, MigrationError) and error.hint else "Put"
    denied = isinstance(error, ConfigurationDenied)
    kind = ConfigurationDenied if denied else ConfigurationElsewhere
    return kind(
        f"{what} were not written: {reason(error)}",
        hint=f"{hint} these lines {where}, then run `select pg_reload_conf()`:\n{lines}".rstrip(),
    )
