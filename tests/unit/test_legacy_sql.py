"""The scripts of `legacy_sql`: each statement concerns one schema, and any names can be bound."""

import re
from pathlib import Path

import pytest

from collec_migrations import scripts
from collec_migrations.names import Names
from collec_migrations.scripts import roles
from collec_migrations.scripts.parts import belongs, part
from tests import chain

SCRIPTS = sorted((chain.ROOT / "legacy_sql").glob("*.sql"))
NAMES = (
    Names(gacl="Droits d'accès", col='la"bo'),
    Names(gacl="user", col="order"),
    Names(gacl="100%", col="$$"),
)

STEPS = [path for path in SCRIPTS if not path.name.startswith("check-")]
"""A check only reads: it changes neither schema."""

every_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
every_step = pytest.mark.parametrize("path", STEPS, ids=lambda path: path.name)


@every_step
def test_the_part_of_the_rights_schema_knows_nothing_of_the_data_schema(path: Path) -> None:
    for statement, changed in roles.with_changes(path.read_text("utf-8")):
        assert changed, f"{path.name}:{statement.line}"
        if belongs(changed, "col") and "gacl" in changed:
            named = set(re.findall(r"\bgacl\.(\w+)", statement.text))
            assert named == {"aclgroup"}, f"{path.name}:{statement.line} only reads groups"


@every_script
@pytest.mark.parametrize("names", NAMES, ids=lambda names: names.gacl)
def test_each_script_binds_to_awkward_names_and_back(path: Path, names: Names) -> None:
    text = path.read_text("utf-8")
    bound = scripts.bind(text, names.by_default_name)
    assert bound != text
    back = {new: old for old, new in names.by_default_name.items()}
    again = scripts.bind(bound, back)
    assert [s.line for s in scripts.split(again)] == [s.line for s in scripts.split(text)]
    assert scripts.bind(again, names.by_default_name) == bound


@every_step
def test_the_two_parts_hold_every_statement_once(path: Path) -> None:
    text = path.read_text("utf-8")
    both = len(scripts.split(part(text, "gacl"))) + len(scripts.split(part(text, "col")))
    assert both == len(scripts.split(text))
