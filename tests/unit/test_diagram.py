"""Pictures and text of the chain and of the schemas, made from the catalogs."""

import builtins
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from collec_migrations import versions
from collec_migrations.bridge.diagram import layout, svg, tables
from collec_migrations.names import Names
from tests import accounts, commands

SVG = "{http://www.w3.org/2000/svg}"


def schema(version: str, names: Names | None = None) -> tables.Schema:
    """Return the tables of a version."""
    return tables.of(versions.upgraded(version), names or Names())


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_every_table_and_foreign_key_of_a_version_is_there(version: str) -> None:
    found, facts = schema(version), versions.upgraded(version).facts
    assert {one.key for one in found.tables} == {
        (fact.role, fact.name) for fact in facts if fact.kind == "table"
    }
    keys = [fact for fact in facts if fact.definition.startswith("FOREIGN KEY")]
    assert len(found.links) == len(keys) > 20
    known = {one.key for one in found.tables}
    assert {link.parent for link in found.links} <= known
    sample = next(one for one in found.tables if one.key == ("col", "sample"))
    assert sample.columns[0].name == "sample_id"
    assert sample.columns[0].keys == "PK"


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
    assert "v5 -.->" in text


@pytest.mark.parametrize("version", ["1.0", "1.1", "26.2"])
def test_no_table_of_a_picture_covers_another(version: str) -> None:
    picture = layout.arrange(schema(version, Names(gacl="rights of the house", col="a")))
    assert len(picture.boxes) == len(schema(version).tables)
    for one in picture.boxes:
        assert one.width / 2 <= one.xy[0] <= picture.width - one.width / 2
        assert one.height / 2 <= one.xy[1] <= picture.height - one.height / 2
        for other in picture.boxes:
            apart = (abs(one.xy[at] - other.xy[at]) for at in (0, 1))
            half = ((one.width + other.width) / 2, (one.height + other.height) / 2)
            assert one is other or any(a >= b for a, b in zip(apart, half, strict=True))


def test_a_picture_is_written_and_needs_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "a picture.svg"
    done = commands.invoke("diagram", "1.1", "--svg", str(path))
    assert (done.exit_code, done.stdout) == (0, "")
    root = ElementTree.fromstring(path.read_text("utf-8"))
    texts = {one.text for one in root.iter(f"{SVG}text")}
    assert {"col.sample", "gacl.aclgroup", "sample_id"} <= texts
    assert "href" not in path.read_text("utf-8")


def test_a_picture_is_the_same_in_every_run() -> None:
    code = (
        "import hashlib;"
        "from tests.unit.test_diagram import schema, layout, svg;"
        "text = svg.schema(layout.arrange(schema('26.2')), 'x');"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    here = svg.schema(layout.arrange(schema("26.2")), "x")
    assert accounts.run(code) == accounts.run(code)
    assert len(here) > 100_000


WRONG = [
    pytest.param(("diagram", "9.9"), "there is no version '9.9'", id="version"),
    pytest.param(("diagram", "1.1", "--col", "gacl"), "both named 'gacl'", id="names"),
    pytest.param(("diagram", "--svg", "/no/such/folder/x.svg"), "cannot be written", id="folder"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_cannot_be_drawn_is_told(words: tuple[str, ...], message: str) -> None:
    done = commands.invoke(*words)
    assert done.exit_code == 2
    assert message in done.stderr


def test_without_the_library_the_hint_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("grandalf"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    done = commands.invoke("diagram", "1.1", "--svg", str(tmp_path / "x.svg"))
    assert done.exit_code == 2
    assert "pip install 'collec-migrations[diagram]'" in done.stderr
    assert commands.invoke("diagram", "1.1").exit_code == 0
    assert commands.invoke("diagram", "--svg", str(tmp_path / "x.svg")).exit_code == 0
