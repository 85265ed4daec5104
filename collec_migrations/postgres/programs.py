"""Run a program of PostgreSQL under an account, with an environment of our own."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres.account import Account

KEPT = ("PATH", "TZ", "LD_LIBRARY_PATH", "ICU_DATA")


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what PostgreSQL's programs may see: no PG* variable, messages in English."""
    return {name: environ[name] for name in KEPT if name in environ} | {"LC_ALL": "C"}


def run(command: Sequence[str | Path], *, account: Account, folder: Path, text: str = "") -> str:
    """Run a program in a folder, give it a text to read, and return what it prints."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment(),
        umask=0o077,
        start_new_session=True,
        check=False,
        **account.identity(),
    )
    if done.returncode != 0:
        raise failure(Path(command[0]).name, done.returncode, done.stderr)
    return done.stdout


def failure(name: str, status: int, messages: str) -> ServerFailed:
    """Return the error of a program that failed, with its last words as the hint."""
    how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
    return ServerFailed(f"{name} {how}", hint=last_words(messages))


def last_words(messages: str, count: int = 4) -> str:
    """Return the last lines of messages, in one line."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    return " | ".join(lines[-count:])
