"""Run the tool's own command on a terminal, and read what a person sees."""

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")


def run(*words: str, **variables: str) -> tuple[int, str]:
    """Return the exit status of a command, and all that it wrote on its terminal."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **variables}
    environment.pop("NO_COLOR", None)
    program = Path(sys.executable).parent / "collec-migrations"
    with subprocess.Popen(
        [program, *words], stdin=its, stdout=its, stderr=its, env=environment, cwd="/"
    ) as process:
        os.close(its)
        shown = b""
        with suppress(OSError):  # the other end was closed
            while part := os.read(ours, 10_000):
                shown += part
    os.close(ours)
    return process.returncode, shown.decode()


def plain(shown: str) -> str:
    """Return what was written without what moves the cursor or colours."""
    return _ESCAPES.sub("", shown)
