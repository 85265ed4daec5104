"""Colours: on a terminal only, never where somebody does not want them, never alone."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import chain

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
WORDS = ("detect", "--url", "mysql://x/y")


def on_a_terminal(folder: Path, *words: str, **variables: str) -> str:
    """Return what a command writes on a terminal."""
    controller, terminal = pty.openpty()
    inherited = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [str(Path(sys.executable).parent / "collec-migrations"), *words],
        cwd=folder,
        env={**inherited, "TERM": "xterm", **variables},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ):
        os.close(terminal)
        written = b""
        while True:
            try:
                read = os.read(controller, 65536)
            except OSError:  # Linux's way to say that nobody writes any more
                break
            written += read
    os.close(controller)
    return written.decode().replace("\r\n", "\n")


def test_an_error_is_red_on_a_terminal(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, *WORDS)
    assert shown.startswith("\x1b[31m\x1b[1merror\x1b[0m: ")
    assert "hint" in shown


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_nobody_gets_colours_who_does_not_want_them(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    assert "\x1b" not in on_a_terminal(tmp_path, *WORDS, **variables)


def test_a_file_gets_the_same_words_without_colours(tmp_path: Path) -> None:
    plain = chain.run("collec-migrations", *WORDS, folder=tmp_path, variables={"TERM": "xterm"})
    assert "\x1b" not in plain.stdout + plain.stderr
    assert ESCAPE.sub("", on_a_terminal(tmp_path, *WORDS)) == plain.stdout + plain.stderr


@pytest.mark.parametrize("words", [("--help",), ("backup", "--help"), ("upgrade", "--help")])
def test_the_help_on_a_terminal_is_plain_text(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "\x1b" not in on_a_terminal(tmp_path, *words)
