"""The examples of docs/continuous-integration.md: YAML that can be read, commands that exist."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from collec_migrations.cli import main
from tests import chain, documents

PAGE = chain.ROOT / "docs" / "continuous-integration.md"
EXAMPLES = documents.blocks(PAGE, "yaml")


def lines(node: Any) -> Iterator[str]:
    """Yield the shell lines of a job, of GitHub (`run`) or GitLab (`script`)."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("run", "script"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from lines(value)
    elif isinstance(node, list):
        for item in node:
            yield from lines(item)


def parse(line: str) -> Any:
    """Parse a line as our command line does, without running it; raise for what it refuses."""
    program, name, *words = shlex.split(line)
    assert program == "collec-migrations"
    group: Any = typer.main.get_command(main.app)
    command = group.get_command(None, name)
    assert command is not None, name
    return command.make_context(name, words)


def test_there_is_an_example_for_each_service() -> None:
    github, gitlab, rehearsal = (yaml.safe_load(text) for text in EXAMPLES)
    assert "paths" in github["jobs"]
    assert gitlab["upgrade paths"]["artifacts"]["reports"] == {"junit": "paths.xml"}
    assert "rehearsal" in rehearsal


@pytest.mark.parametrize("text", EXAMPLES, ids=["github", "gitlab", "rehearsal"])
def test_every_command_of_an_example_exists_with_its_options(text: str, site: Path) -> None:
    (site / "scripts").mkdir()
    assert "://" not in text, "an example names no host"
    found = [line for line in lines(yaml.safe_load(text)) if not line.startswith("pip install ")]
    assert found
    for line in found:
        parse(line)


def test_a_command_with_a_wrong_option_would_be_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse("collec-migrations test-paths --servers 18")


def test_the_one_line_on_the_page_is_the_one_of_the_examples() -> None:
    top = PAGE.read_text("utf-8").split("##")[0]
    (line,) = (text.strip() for text in top.splitlines() if "--report paths.xml" in text)
    assert parse(line).params["server"] == "15,17,18"
