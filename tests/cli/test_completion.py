"""Completion by a real bash: what the tab key gives."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import commands

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash here")

LINES = [
    pytest.param("up", ["upgrade"], id="command"),
    pytest.param("backup pr", ["prune"], id="subcommand"),
    pytest.param("backup restore last --cr", ["--create-roles"], id="option of a subcommand"),
    pytest.param("upgrade --no-b", ["--no-backup"], id="option"),
    pytest.param("--deb", ["--debug"], id="option of the program"),
    pytest.param("upgrade 1.0.", ["1.0.4", "1.0.5", "1.0.6", "1.0.8"], id="version"),
    pytest.param("verify 26", ["26.0", "26.1", "26.2"], id="known version"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the program alone, and a home without any settings."""
    folder = tmp_path_factory.mktemp("bin")
    place = folder / commands.PROGRAM
    # Typer names itself after the program, as an installed one does.
    place.write_text(
        f"#!{sys.executable}\nimport sys\nsys.argv[0] = {commands.PROGRAM!r}\n"
        "from collec_migrations.cli.main import main\nmain()\n"
    )
    place.chmod(0o755)
    return folder


def bash(script: str, program: Path, *options: str) -> str:
    """Return what a script prints in a bash that reads no settings of ours."""
    assert BASH
    done = subprocess.run(
        [BASH, "--norc", "--noprofile", *options, "-c", script],
        env={
            "PATH": f"{program}:/usr/bin:/bin",
            "HOME": str(program),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        cwd=program,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def script(program: Path) -> str:
    """Return what the program gives for bash to read."""
    return bash(f"{commands.PROGRAM} --show-completion; true", program)


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_the_tab_key_completes(line: str, expected: list[str], program: Path, script: str) -> None:
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    typed = shlex.join([commands.PROGRAM, *words])
    pressed = (
        f"{script}\nCOMP_WORDS=({typed}); COMP_CWORD={len(words)}\n"
        f"_collec_migrations_completion {commands.PROGRAM}\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert bash(pressed, program).split() == expected


def test_the_script_is_put_in_place_for_every_new_shell(program: Path) -> None:
    bash(f"{commands.PROGRAM} --install-completion && true", program)
    shown = bash(f"source ~/.bashrc; complete -p {commands.PROGRAM}", program)
    assert "_collec_migrations_completion" in shown


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_served(shell: str, program: Path) -> None:
    asked = f"_COLLEC_MIGRATIONS_COMPLETE=source_{shell}"
    shown = bash(f"{asked} {commands.PROGRAM}", program)
    assert f"complete_{shell}" in shown
