"""The scripts of `legacy_sql`: each statement concerns one schema, and any names can be bound."""

import re
from pathlib import Path

import pytest

from collec_migrations import sql
from collec_migrations.names import Names
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
    for statement, changed in sql.with_changes(path.read_text("utf-8")):
        assert changed, f"{path.name}:{statement.line}"
        if sql.belongs(changed, "col") and "gacl" in changed:
            named = set(re.findall(r"\bgacl\.(\w+)", statement.text))
            assert named == {"aclgroup"}, f"{path.name}:{statement.line} only reads groups"


@every_script
@pytest.mark.parametrize("names", NAMES, ids=lambda names: names.gacl)
def test_each_script_binds_to_awkward_names(path: Path, names: Names) -> None:
    text = path.read_text("utf-8")
    bound = sql.bind(text, names.by_default_name)
    assert bound != text
    assert [s.line for s in sql.split(bound)] == [s.line for s in sql.split(text)]


@every_step
def test_the_two_parts_hold_every_statement_once(path: Path) -> None:
    text = path.read_text("utf-8")
    both = len(sql.split(sql.part(text, "gacl"))) + len(sql.split(sql.part(text, "col")))
    assert both == len(sql.split(text))
