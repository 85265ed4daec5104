"""Every command in poor surroundings, and every command that a message tells to type."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import collec_migrations
from collec_migrations.postgres.address import Address
from tests import chain, commands
from tests.servers import Server

LEAVES = commands.leaves()
PACKAGE = Path(collec_migrations.__file__).parent
GIVEN = {
    "wrap": ("col_alter_26.2-26.3.sql",),
    "downgrade": ("1.0.8",),
    "archive": ("drop", "no-such-archive"),
    "backup verify": ("last",),
    "backup restore": ("last",),
    "replica promote": ("a",),
    "replica primary": ("127.0.0.1",),
    "replica clone": ("postgresql://rep@127.0.0.1:1", "--data", "nowhere"),
    "backup list": ("--into", "."),
    "test-paths": ("--from", "9.9"),
}
"""What a command is given here, so that it goes beyond its own command line."""
NARROW = {"LC_ALL": "C", "COLUMNS": "60", "TERMINAL_WIDTH": "60", "TERM": "dumb"}


@pytest.fixture(scope="module")
def site(server18: Server) -> Iterator[Address]:
    """Return a database that none of the commands may change."""
    with server18.database() as address:
        chain.upgrade(address, "1.1")
        yield address


@pytest.mark.parametrize("leaf", [" ".join(one) for one in LEAVES if one[0] != "server"])
def test_it_ends_in_order_without_a_terminal(leaf: str, site: Address, tmp_path: Path) -> None:
    before = chain.catalog(site)
    done = chain.run(
        "collec-migrations", *leaf.split(), *GIVEN.get(leaf, ()), folder=tmp_path,
        variables={"COLLEC_DATABASE_URL": site.url, **NARROW},
    )  # fmt: skip
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown
    assert "UnicodeEncodeError" not in shown
    assert done.returncode in (0, 1, 2, 3), shown
    if done.returncode >= 2:
        assert shown.strip(), "a failure says something"
    assert chain.catalog(site) == before


def texts(path: Path) -> Iterator[str]:
    """Yield the texts of a module, with X for what is put in."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values
            )


IN_SHORT = re.compile(r"`((?:archive|backup|replica|server) [a-z]+[^`]*)`")
TYPED = re.compile(r"collec-migrations((?: +[a-z][a-z-]*)*)((?: +(?!or\b)[^ `.,;:)\n\"]+)*)")


def told(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands that a text tells to type: all of it, and their words with options."""
    for found in IN_SHORT.finditer(text):
        rest = found[1].split()
        yield found[0], [*rest[:2], *(one for one in rest[2:] if one.startswith("--"))]
    for found in TYPED.finditer(text.replace("collec-migrations X", "")):  # put in: a command
        options = re.findall(r"(?<= )--[a-z-]+", found[2])
        yield found[0], [*found[1].split(), *(one for one in options if one != "--help")]


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_a_message_tells_to_type_exists(path: Path) -> None:
    for text in texts(path):
        for whole, words in told(text):
            if words not in ([], ["backup"], ["replica"]):  # the name of the group alone
                assert commands.mistake(words) == "", whole
