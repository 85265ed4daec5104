"""What a new installation holds: the account, the rows, the sequences."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from collec_migrations import versions
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

REFERENCE = Path(__file__).parent.parent / "data" / "reference_data.json"
REFERENCE_ROWS = json.loads(REFERENCE.read_text("utf-8"))
LEADING = {"1.0": "1.0.8", "1.0.8": "1.0.8", "1.1": "1.1"}
"""Whose reference rows a version has: those of 1.0 were incomplete."""

WELL_KNOWN = sha256(b"passwordadmin").hexdigest()


@pytest.mark.parametrize("version", LEADING)
def test_an_installation_holds_the_reference_rows(database: Address, version: str) -> None:
    chain.upgrade(database, version)
    for table, stored in REFERENCE_ROWS[LEADING[version]].items():
        if table == "gacl.logingestion" or (table == "col.dbversion" and version == "1.0"):
            continue
        columns = ", ".join(stored["columns"])
        texts = f"select {columns} from {table} order by 1, 2"
        found = [[_plain(value) for value in row] for row in chain.query(database, texts)]
        assert found == sorted(stored["rows"], key=lambda row: row[:2]), table


def _plain(value: object) -> object:
    return str(value) if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("version", ["1.0", "1.1", chain.HEAD])
def test_the_admin_gets_the_password_of_the_environment(
    database: Address, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLEC_ADMIN_PASSWORD", "pä'ss\\word%s")
    said = chain.upgrade(database, version)
    stored = chain.query(database, "select login, password, actif from gacl.logingestion")
    assert stored == [("admin", sha256("pä'ss\\word%sadmin".encode()).hexdigest(), 1)]
    assert not any("pä'ss" in line for line in said)


def test_a_random_password_is_shown_once_and_is_the_stored_one(database: Address) -> None:
    said = chain.upgrade(database)
    shown = said[0].rsplit(" ", 1)[-1]
    stored = chain.query(database, "select password from gacl.logingestion")
    assert stored == [(sha256(f"{shown}admin".encode()).hexdigest(),)]
    assert len(shown) >= 16
    assert chain.upgrade(database) == []


def test_two_installations_never_share_a_password(database: Address) -> None:
    chain.upgrade(database)
    chain.upgrade(database, gacl="other_rights", col="other_data")
    stored = chain.query(
        database,
        "select password from gacl.logingestion union all"
        " select password from other_rights.logingestion",
    )
    assert len(set(stored)) == 2
    assert (WELL_KNOWN,) not in stored


def test_the_application_code_is_data_and_can_be_set(database: Address) -> None:
    chain.upgrade(database, gacl="rights", col="data")
    assert chain.query(database, "select appli from rights.aclappli") == [("col",)]
    chain.upgrade(database, gacl="rights2", col="data2", application_code="l'ab")
    assert chain.query(database, "select appli from rights2.aclappli") == [("l'ab",)]


def test_the_application_finds_the_version_of_every_step(server18: Server) -> None:
    for version in chain.VERSIONS:
        with server18.database(chain.template_at(server18, version)) as address:
            if not versions.is_recorded(version):
                assert chain.query(address, "select to_regclass('col.dbversion')") == [(None,)]
                continue
            newest = "select dbversion_number from col.dbversion order by dbversion_date"
            assert chain.query(address, newest)[-1] == (version,)


def test_the_application_finds_the_version_of_an_installation(database: Address) -> None:
    chain.upgrade(database)
    assert (chain.HEAD,) in chain.query(database, "select dbversion_number from col.dbversion")


SEQUENCES = """
select s.relname, a.attname, t.oid::regclass::text, n.nspname
from pg_class s
join pg_namespace n on n.oid = s.relnamespace and n.nspname in ('gacl', 'col')
join pg_depend d on d.refobjid = s.oid and d.classid = 'pg_attrdef'::regclass
join pg_attrdef f on f.oid = d.objid
join pg_class t on t.oid = f.adrelid
join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
where s.relkind = 'S' and t.relname !~ 'migration_history'
"""


@pytest.mark.parametrize("version", ["1.0", "1.1", chain.HEAD])
def test_every_sequence_stands_at_its_greatest_id(database: Address, version: str) -> None:
    chain.upgrade(database, version)
    greatest: dict[str, int] = {}
    for sequence, column, table, schema in chain.query(database, SEQUENCES):
        ((found,),) = chain.query(database, f"select coalesce(max({column}), 0) from {table}")
        name = f"{schema}.{sequence}"
        greatest[name] = max(int(str(found)), greatest.get(name, 0))
    assert len(greatest) >= 34
    for name, last in greatest.items():
        assert chain.query(database, f"select nextval('{name}')") == [(last + 1,)], name


def test_every_example_of_a_label_is_a_well_formed_stylesheet(database: Address) -> None:
    from xml.etree import ElementTree

    chain.upgrade(database)
    stylesheets = chain.query(database, "select label_xsl from col.label")
    assert stylesheets
    for (stylesheet,) in stylesheets:
        root = ElementTree.fromstring(str(stylesheet))
        assert root.tag == "{http://www.w3.org/1999/XSL/Transform}stylesheet"


def test_what_the_application_calls_itself_is_put_into_dbparam(
    server18: Server, clone: Clone
) -> None:
    named = {"instance_code": "lab's 7", "instance_title": "The laboratory"}
    kept = (
        "select dbparam_name, dbparam_value from col.dbparam"
        " where dbparam_name in ('APPLI_code', 'APPLI_title') order by 1"
    )
    walked, fresh = clone(chain.template_at(server18, "1.1")), clone("template0")
    for address in (walked, fresh):
        chain.upgrade(address, **named)
        rows = [("APPLI_code", "lab's 7"), ("APPLI_title", "The laboratory")]
        assert chain.query(address, kept) == rows
    # What the site wrote itself stays.
    again = clone(chain.template_at(server18, "1.2"))
    chain.execute(again, "update col.dbparam set dbparam_value = 'own'")
    chain.upgrade(again, **named)
    assert chain.query(again, kept)[0] == ("APPLI_code", "own")
