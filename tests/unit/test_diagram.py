"""Pictures and text of the chain and of the schemas, made from the catalogs."""

import re

import pytest

from collec_migrations import versions
from collec_migrations.cli import diagram
from tests import commands


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_every_table_and_foreign_key_of_a_version_is_there(version: str) -> None:
    found, facts = diagram.schema(versions.upgraded(version)), versions.upgraded(version).facts
    assert set(found.tables) == {(fact.role, fact.name) for fact in facts if fact.kind == "table"}
    keys = [fact for fact in facts if fact.definition.startswith("FOREIGN KEY")]
    assert len(found.links) == len(keys) > 20
    assert {link.parent for link in found.links} <= set(found.tables)
    first = found.tables["col", "sample"][0]
    assert (first.name, first.keys) == ("sample_id", "PK")


def test_the_text_is_what_mermaid_reads() -> None:
    lines = commands.invoke("diagram", "1.1", "--col", 'Lab "A"').output.splitlines()
    assert lines[0] == "erDiagram"
    word = r"[\w\[\]]+"
    line = re.compile(
        rf'  \w+\["[^"]+"\] {{|    {word} \w+( (PK|FK|PK,FK))?|  }}'
        rf"|  \w+ (\|\||\|o)--o{{ \w+ : \w+"
    )
    assert [one for one in lines[1:] if not line.fullmatch(one)] == []
    assert '  col_sample["Lab #quot;A#quot;.sample"] {' in lines
    assert "  col_object ||--o{ col_sample : uid" in lines


def test_the_chain_has_every_version_and_what_changed() -> None:
    text = commands.invoke("diagram").output
    assert all(f'"{version}<br/>' in text for version in versions.VERSIONS)
    assert 'v4 -->|"+3 −4 tables<br/>+25 −21 columns"| v5' in text


def test_a_table_is_shown_with_those_that_it_is_tied_to() -> None:
    text = commands.invoke("diagram", "26.2", "--around", "container").output
    shown = set(re.findall(r'^  (\w+)\["', text, re.MULTILINE))
    assert {"col_container", "col_object", "col_container_type"} <= shown
    assert "col_printer" not in shown
    # A container type's parent is one, too: such a key goes back to its own table.
    whole = commands.invoke("diagram", "26.2").output
    assert re.search(r"^  (\w+) \S+ \1 :", whole, re.MULTILINE)


WRONG = [
    pytest.param(("diagram", "9.9"), "there is no version '9.9'", id="version"),
    pytest.param(("diagram", "1.1", "--col", "gacl"), "both named 'gacl'", id="names"),
    pytest.param(("diagram", "--around", "sample"), "needs a version", id="around"),
    pytest.param(("diagram", "1.1", "--around", "x"), "has no table 'x'", id="table"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_cannot_be_drawn_is_told(words: tuple[str, ...], message: str) -> None:
    done = commands.invoke(*words)
    assert done.exit_code == 2
    assert message in done.stderr
