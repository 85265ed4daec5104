"""The errata of the package fit the versions they are for, under any names."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.names import Names
from collec_migrations.scripts import bind, doubts
from collec_migrations.wrapping import errata, script
from collec_migrations.wrapping.errata import Erratum
from tests import chain, wrapping
from tests.builders import databases
from tests.servers import Server

ODD = Names(gacl='rights "of" all', col="100% l'Étang.x")
ACTIONS = [one for one in errata.known() if one.action in errata.ACTIONS]
CHECKS = [one for one in errata.known() if one.action in errata.CHECKS]

DAMAGE = {
    "P1": "insert into gacl.aclappli (appli) values ('app')",
    "E02": "set search_path = gacl, col, public",
    "E08": "alter table col.collection_group drop constraint if exists projet_group_pk,"
    " drop constraint if exists project_group_pk",
    "E09": "drop index col.authorization_number_idx",
    "E12": "drop table gacl.passwordlost",
    "E17": "alter table col.subsample drop column createdsample_id cascade",
}
"""What makes a database one that needs the correction, or stands before it in the script."""


def texts(erratum: Erratum) -> Iterator[str]:
    yield from erratum.sql
    if erratum.condition:
        yield erratum.condition


@pytest.mark.parametrize("erratum", errata.known(), ids=lambda one: one.id)
def test_an_erratum_leaves_no_doubt_and_comes_back_from_other_names(erratum: Erratum) -> None:
    there = {"gacl": "rights_x", "col": "lab_x"}
    back = {new: old for old, new in there.items()}
    for sql in texts(erratum):
        assert doubts(sql, ODD.by_default_name) == ()
        assert bind(bind(sql, there), back) == sql


@pytest.mark.parametrize("erratum", CHECKS, ids=lambda one: one.id)
def test_a_check_can_be_asked_of_the_version_before_its_step(
    server18: Server, erratum: Erratum
) -> None:
    old = erratum.step.split("-")[0]
    with databases.lent(server18, old, ODD) as connection, connection.cursor() as cursor:
        cursor.execute(bind(erratum.sql[0], ODD.by_default_name))
        assert cursor.fetchall() == []


def test_the_parser_is_of_the_major_that_gave_the_fingerprints() -> None:
    """pglast 7 gives other fingerprints to a third of all statements."""
    needs = tomllib.loads((chain.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert [one for one in needs["dependencies"] if "pglast" in one] == ["pglast>=8,<9"]


KNOWN_TEXTS = {
    "E01": 'ALTER TABLE "sample" DROP COLUMN "sample_metadata_id"',
    "E19": "select setval('object_status_object_status_id_seq', 6)",
    "E15": "CREATE INDEX object_change_date_idx ON col.object\nUSING btree\n(\n\tchange_date\n)",
    "E13": "ALTER TABLE gacl.logingestion ADD COLUMN locale varchar",
}


@pytest.mark.parametrize(("id_", "text"), KNOWN_TEXTS.items(), ids=KNOWN_TEXTS)
def test_the_hash_is_that_of_the_text_from_first_to_last_token(
    id_: str, text: str, tmp_path: Path
) -> None:
    (erratum,) = (one for one in errata.known() if one.id == id_)
    body = f"-- a comment\n\nselect 1;\n{text} ; -- another\n"
    items = script.read(wrapping.write(tmp_path, {"a.sql": body})).items
    (found,) = errata.place([erratum], items)
    assert (found.index, found.exact) == (1, True)


def by_ids(*ids: str) -> list[str]:
    """Return the SQL of these errata, in the order of the package."""
    return [sql for one in errata.known() if one.id in ids for sql in one.sql]


def corrected(server: Server, version: str, rows: list[str], sql: list[str], asked: str) -> object:
    """Return the rows of a query after corrections of a database with some rows."""
    with databases.at(server, version, ODD) as connection, connection.cursor() as cursor:
        for one in ("set search_path = col, gacl, public", *rows, *sql, asked):
            cursor.execute(bind(one, ODD.by_default_name))
        return cursor.fetchall()


RIGHTS = [
    "insert into gacl.aclappli (aclappli_id, appli) values (1, 'app')",
    "insert into gacl.aclgroup (aclgroup_id, groupe) values (1, 'admin'), (9, 'import'), (12, 'z')",
]
TAKEN = {
    "free": ([], 6),
    "another right's": (["insert into gacl.aclaco values (6, 1, 'mine'), (8, 1, 'more')"], 9),
    "the right's own": (["insert into gacl.aclaco values (6, 1, 'import')"], 6),
    "there under another id": (["insert into gacl.aclaco values (4, 1, 'import')"], 4),
}


@pytest.mark.parametrize(("rows", "expected"), TAKEN.values(), ids=TAKEN)
def test_the_right_to_import_is_given_by_name(
    server18: Server, rows: list[str], expected: int
) -> None:
    asked = (
        "select o.aclaco_id, g.aclgroup_id, nextval('gacl.aclaco_aclaco_id_seq') > o.aclaco_id"
        " from gacl.aclaco o left join gacl.aclacl g using (aclaco_id) where aco = 'import'"
    )
    found = corrected(server18, "1.2", RIGHTS + rows, by_ids("P1", "P1b", "P1c"), asked)
    assert found == [(expected, 9, True)]


LONG = "Name" + "x" * 60
FIELDS = f"""insert into col.metadata (metadata_name, metadata_schema) values
    ('a', '[{{"name": "TaxonName"}}, {{"name": "plain"}}, {{"name": "Two"}}, {{"name": "tWo"}}]'),
    ('b', '[{{"name": "{LONG}"}}, {{"name": "L''Or"}}]'), ('c', '{{}}'), ('d', null)"""
INDEXES = [
    f"create index {name} on col.sample using gist (lower(metadata ->> '{key}') gist_trgm_ops)"
    for name, key in {
        "sample_metadata_taxonname_idx": "taxonname",
        "sample_metadata_plain_idx": "plain",
        "sample_metadata_two_idx": "two",
        "sample_metadata_gone_idx": "gone",
        "sample_metadata_or_idx": "l''or",
        "sample_metadata_namexxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": "name" + "x" * 43,
    }.items()
]


def test_indexes_of_metadata_are_made_anew_on_the_fields_that_there_are(server18: Server) -> None:
    asked = (
        "select array_agg(substring(pg_get_indexdef(indexrelid) from '>> (.*)::text\\)')"
        " order by indexrelid::regclass::text), to_regprocedure('regenerate_metadata_indexes()')"
        " from pg_index where indrelid = 'col.sample'::regclass"
        " and pg_get_indexdef(indexrelid) like '%metadata ->> %gist_trgm_ops%'"
    )
    found = corrected(server18, "2.8.1", [FIELDS, *INDEXES], by_ids("P7"), asked)
    assert isinstance(found, list)
    ((keys, helper),) = found
    assert sorted(keys) == sorted(
        ["'TaxonName'", "'plain'", "'Two'", "'tWo'", "'gone'", "'L''Or'", f"'{LONG}'"]
    )
    assert helper is None


def ran(server: Server, version: str, erratum: Erratum) -> bool:
    with databases.lent(server, version, ODD) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(bind("set search_path = col, gacl, public", ODD.by_default_name))
            for sql in (DAMAGE.get(erratum.id, "select 1"), *texts(erratum)):
                cursor.execute(bind(sql, ODD.by_default_name))
        except psycopg2.Error:
            return False
    return True


@pytest.mark.parametrize("erratum", ACTIONS, ids=lambda one: one.id)
def test_a_correction_runs_on_one_of_the_two_versions(server18: Server, erratum: Erratum) -> None:
    assert any(ran(server18, version, erratum) for version in erratum.step.split("-"))
