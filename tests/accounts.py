"""Run our code in another process, perhaps as another account of this machine."""

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collec_migrations.postgres import programs
from collec_migrations.postgres.programs import Account, Identity

ROOT = Path(__file__).parent.parent
AS_ROOT = os.geteuid() == 0
OTHERS = ("daemon", "bin", "games")
"""Accounts that exist nearly everywhere, and that no server of ours runs under."""

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")


def somebody() -> Account:
    """Return an ordinary account that is neither us nor a server's."""
    for name in OTHERS:
        try:
            return programs.account_of(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    pytest.skip(f"this machine has none of the accounts {OTHERS}")


def spawn(code: str, *words: str | Path, who: Account | None = None) -> subprocess.Popen[str]:
    """Start Python code that finds its words in `sys.argv[1:]`."""
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("-packages"))]
    identity: Identity = who.identity() if who else {}
    return subprocess.Popen(
        [_python(who), "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=heed_signals,
        **identity,
    )


def heed_signals() -> None:
    """Undo what `nohup` and a shell's `&` leave to a child: SIGINT, SIGQUIT and SIGHUP ignored."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def run(code: str, *words: str | Path, who: Account | None = None) -> str:
    """Run Python code to its end, and return what it printed."""
    with spawn(code, *words, who=who) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def _python(who: Account | None) -> str:
    """Return a Python that the account can run: ours may be below /root."""
    if who is None:
        return sys.executable
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            probe = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            done = subprocess.run(probe, cwd="/", check=False, **who.identity())
        except OSError:
            continue
        if done.returncode == 0:
            return python
    pytest.skip(f"no Python 3.11 that {who.name} can run")
