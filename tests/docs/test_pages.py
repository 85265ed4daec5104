"""The pages of the manual: every one is found, fresh, and says what is true."""

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from collec_migrations import errors
from tests import commands
from tests.docs import generated, pages, sites
from tests.docs.pages import DOCS, ROOT

EVERY = pages.every()
LANGUAGES = {"console", "sh", "text", "ini", "sql", "yaml", "toml", "python", "mermaid", "json",
             "make", "php", "html"}  # fmt: skip
PACKAGE = ROOT / "collec_migrations"


@pytest.mark.parametrize("path", generated.FILES, ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_fresh(path: Path) -> None:
    """After a change: `make docs`, then read what changed."""
    made = generated.FILES[path]()
    if os.environ.get("COLLEC_GOLDEN") == "write":
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


def test_every_page_is_in_the_index() -> None:
    index = next(page for page in EVERY if page.path == DOCS / "README.md")
    missing = {page.path.name for page in EVERY if page.path.parent == DOCS} - {*index.links}
    assert missing == {"README.md"}


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.name)
def test_links_blocks_and_options_of_a_page_are_right(page: pages.Page) -> None:
    assert _unknown(page.path.read_text("utf-8")) == []
    local = [link for link in page.links if "://" not in link and not link.startswith("#")]
    gone = [link for link in local if not (page.path.parent / link.partition("#")[0]).exists()]
    assert gone == []
    # Every block is run, or says why not.
    assert page.state in sites.STATES
    assert [one.line for one in page.blocks if one.language not in LANGUAGES] == []
    if page.run_by:
        assert (ROOT / page.run_by).is_file()
        return
    assert [one.line for one in page.blocks if one.language == "sh" and not one.not_run] == []


def test_every_variable_in_the_code_is_among_the_settings() -> None:
    text = "\n".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r"\bCOLLEC_[A-Z_]*[A-Z]\b", text))
    assert named - set(re.findall(r"\bCOLLEC_[A-Z_]*[A-Z]\b", generated.settings_page())) == set()


def test_every_exit_status_of_an_error_is_explained() -> None:
    rows = re.findall(r"^\| (\d+) \|", generated.command_page(), re.MULTILINE)
    assert {one.exit_status for one in _below(errors.MigrationError)} <= {*map(int, rows)}


def _below(one: type[errors.MigrationError]) -> Iterator[type[errors.MigrationError]]:
    yield one
    for each in one.__subclasses__():
        yield from _below(each)


NAMED = re.compile(r"collec-migrations ((?:[a-z][a-z-]*\b ?)+)([^`|#\n;)]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def named(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command that a text names, with each option that it gives to it."""
    known = commands.leaves()
    for found in NAMED.finditer(text):
        words = tuple(found[1].split())
        leaf = next((words[:n] for n in (3, 2, 1) if words[:n] in known), None)
        if leaf:
            for option in OPTION.findall(found[2]):
                yield " ".join(leaf), option


def test_every_option_that_a_message_names_exists() -> None:
    assert _unknown("\n".join(texts())) == []


def test_a_word_that_the_glossary_replaces_stands_nowhere_else() -> None:
    page = DOCS / "glossary.md"
    rows = [line.split("|")[1:-1] for line in page.read_text("utf-8").splitlines()[6:]]
    words = [word for row in rows if len(row) == 3 for word in row[2].strip().split(", ")]
    assert len(words) > 20
    known = "\n".join([*texts(), *(one.path.read_text("utf-8") for one in EVERY
                                   if one.path != page)])  # fmt: skip
    found = [one for one in words if re.search(rf"\b{re.escape(one)}\b", known, re.IGNORECASE)]
    assert found == []


def _unknown(text: str) -> list[tuple[str, str]]:
    options = {
        " ".join(words): {name for one in command.params for name in one.opts} | {"--help"}
        for words, command in commands.leaves().items()
    }
    return [(leaf, option) for leaf, option in named(text) if option not in options[leaf]]


@cache
def texts() -> frozenset[str]:
    """Return every text of the code; what is filled in is `...`."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (one.value if isinstance(one, ast.Constant) else "..."
                         for one in node.values)  # fmt: skip
                found.add("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return frozenset(found)
