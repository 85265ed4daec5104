"""The scripts of `legacy_sql`: each statement concerns one schema, and any names can be bound."""

import re

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


def test_the_part_of_the_rights_schema_knows_nothing_of_the_data_schema() -> None:
    for path in STEPS:
        for statement, changed in sql.with_changes(path.read_text("utf-8")):
            assert changed, f"{path.name}:{statement.line}"
            if sql.belongs(changed, "col") and "gacl" in changed:
                named = set(re.findall(r"\bgacl\.(\w+)", statement.text))
                assert named == {"aclgroup"}, f"{path.name}:{statement.line} only reads groups"


def test_each_script_binds_to_awkward_names() -> None:
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        lines = [statement.line for statement in sql.split(text)]
        for names in NAMES:
            bound = sql.bind(text, names.by_default_name, shown=path.name)
            assert bound != text, path.name
            assert [statement.line for statement in sql.split(bound)] == lines, path.name


def test_the_two_parts_hold_every_statement_once() -> None:
    for path in STEPS:
        text = path.read_text("utf-8")
        both = len(sql.split(sql.part(text, "gacl"))) + len(sql.split(sql.part(text, "col")))
        assert both == len(sql.split(text)), path.name


def test_scripts_need_no_psql_command_and_no_search_path() -> None:
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
        odd = [line for line in lines if line.startswith("\\") or "search_path" in line]
        assert odd == [], path.name
