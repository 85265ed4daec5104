"""Words of other tools and former spellings answer with what to type, and that exists."""

import json
import shlex

import pytest

from collec_migrations.cli import synonyms
from tests import commands

LEAVES = commands.leaves()
GROUPS = {words[0] for words in LEAVES}


def mistake_in(text: str) -> str:
    """Return what is wrong with the command in a hint."""
    words = shlex.split(text.partition("Type: ")[2].split("   ")[0])
    assert words[0] == commands.PROGRAM
    return commands.mistake(words[1:])


def test_a_word_of_another_tool_is_told_the_command_here() -> None:
    for word in synonyms.COMMANDS:
        assert word not in GROUPS, "a command of ours is no synonym"
        done = commands.invoke(word)
        assert done.exit_code == 2, word
        (hint,) = [line for line in done.stderr.splitlines() if line.startswith("hint: ")]
        assert mistake_in(hint) == "", word


@pytest.mark.parametrize("text", sorted(synonyms.FORMER))
def test_a_former_command_is_told_what_does_it_now(text: str) -> None:
    assert tuple(text.split()) not in LEAVES
    done = commands.invoke(*text.split(), "x")
    assert done.exit_code == 2
    assert f"there is no command '{text}'" in done.stderr
    (hint,) = [line for line in done.stderr.splitlines() if line.startswith("hint: ")]
    assert "Type: " not in hint or mistake_in(hint) == ""


def test_a_former_option_is_told_what_to_type_and_no_command_has_it() -> None:
    for option, hint in synonyms.OPTIONS.items():
        taken = [words for words, one in LEAVES.items()
                 if any(option in param.opts for param in one.params)]  # fmt: skip
        words = next(words for words in (("verify",), ("history",)) if words not in taken)
        done = commands.invoke(*words, option)
        assert (done.exit_code, f"hint: {hint}" in done.stderr) == (2, True), option


def test_a_mistake_in_the_command_line_is_json_too() -> None:
    done = commands.invoke("verify", "--json", "--no-such")
    assert done.exit_code == 2
    told = json.loads(done.stdout)["error"]
    assert (told["status"], "--no-such" in told["message"]) == (2, True)


def test_the_version_of_the_program_is_told() -> None:
    done = commands.invoke("--version")
    assert done.exit_code == 0
    assert done.stdout.startswith("collec-migrations ")
