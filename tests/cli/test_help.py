"""The help: quick, complete, reviewed, and true for every command."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from collec_migrations.cli import main
from tests import accounts, chain, commands

NAMES = [name for section in main.SECTIONS.values() for name in section]
EVERY = sorted(commands.every())
GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "help"
QUICK = 0.2
"""Seconds."""
SCREEN = range(24, 51)
"""Lines."""


def golden(words: tuple[str, ...]) -> Path:
    """Return where the reviewed help of a command is kept."""
    return GOLDEN / ("-".join((commands.PROGRAM, *words)) + ".txt")


def test_help_shows_every_command_in_one_screen() -> None:
    lines = commands.help_of(()).splitlines()
    assert all(any(line.split()[:1] == [name] for line in lines) for name in NAMES)
    assert len(lines) in SCREEN


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_the_help_of_every_command_is_as_reviewed(words: tuple[str, ...]) -> None:
    """After a change: `make golden`, then read what changed in tests/data/golden/help."""
    shown, path = commands.help_of(words), golden(words)
    assert not re.search(r"<[a-z]\w*[^>]*>", shown), "a type of Python instead of a word"
    if os.environ.get("COLLEC_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def test_no_reviewed_help_is_left_of_a_command_that_is_gone() -> None:
    kept = set(GOLDEN.iterdir())
    known = {golden(words) for words in EVERY}
    if os.environ.get("COLLEC_GOLDEN") == "write":
        for path in kept - known:
            path.unlink()
    else:
        assert kept <= known


def test_the_help_answers_at_once() -> None:
    program = str(Path(sys.executable).parent / commands.PROGRAM)

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # A process of its own, not one that is forked with all imports done.
        subprocess.run([program, "--help"], cwd=chain.ROOT, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # The processor's time, the best of some: the machine may be busy with other tests.
    assert 0 < min(once() for _ in range(5)) < QUICK


def test_an_unknown_command_is_a_usage_error_with_a_suggestion() -> None:
    done = commands.invoke("upgarde")
    assert done.exit_code == 2
    assert "Did you mean 'upgrade'?" in done.output


def test_the_help_loads_no_driver_no_alembic_and_no_command() -> None:
    slow = "{'alembic', 'sqlalchemy', 'psycopg2', 'pglast', 'collec_migrations.cli.upgrade'}"
    code = f"import collec_migrations.cli.main, sys; print(sorted({slow} & set(sys.modules)))"
    assert accounts.run(code) == "[]\n"
