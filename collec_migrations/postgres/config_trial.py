"""A new file on trial: while it is not proved good, a guard puts the old one back if we die."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from collec_migrations.errors import ConfigurationNotRestored
from collec_migrations.postgres import atomic_files, signals

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
