"""Change a configuration file of a server on trial: the old one is back unless the new one proves
good, also when this process is killed."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    ConfigurationNotRestored,
    MigrationError,
)
from collec_migrations.postgres import atomic_files, configuration, postmaster, signals
from collec_migrations.postgres.configuration import Reconnect
from collec_migrations.postgres.connection import Connection

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
            start_new_session=True,
        ) as guard:
            _write(guard, path, content, copy, like)
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
    atomic_files.write_like(copy, path.read_bytes(), like=path)
    return copy


def _write(
    guard: subprocess.Popen[bytes], path: Path, content: bytes, copy: Path | None, like: Path | None
) -> None:
    """Put the new file in its place; when that fails nothing has changed, and no copy stays."""
    try:
        if copy is None and like is not None:
            atomic_files.write_like(path, content, like)
        else:
            atomic_files.write(path, content)
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
        atomic_files.sync(path.parent)


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
            configuration.reload(connection, reconnect)
            for proof in proofs:
                proof()
            return copy
    except ConfigurationNotRestored:
        raise
    except MigrationError as error:
        configuration.reload_if_possible(connection, reconnect)
        raise refused(f"{error}; {file} is as it was", hint=error.hint) from error
    except BaseException:
        configuration.reload_if_possible(connection, reconnect)
        raise


def _server_process(connection: Connection) -> int | None:
    """Return the server's process when it is one of this machine that we can be sure of."""
    with suppress(MigrationError, OSError):
        found = postmaster.running(configuration.path(connection, "data_directory"))
        return found.pid if found else None
    return None


def by_hand(error: Exception, *, what: str, where: str, lines: str) -> MigrationError:
    """Return the error that says why a file was not written, with the lines to paste."""
    hint = f"{error.hint} Or put" if isinstance(error, MigrationError) and error.hint else "Put"
    denied = isinstance(error, ConfigurationDenied)
    kind = ConfigurationDenied if denied else ConfigurationElsewhere
    return kind(
        f"{what} were not written: {configuration.told(error)}",
        hint=f"{hint} these lines {where}, then run `select pg_reload_conf()`:\n{lines}".rstrip(),
    )
