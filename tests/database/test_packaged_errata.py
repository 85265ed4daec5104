"""The errata of the package fit the versions they are for, under any names."""

from collections.abc import Iterator

import psycopg2
import pytest

from collec_migrations.database.connection import Connection
from collec_migrations.names import Names
from collec_migrations.scripts import bind, doubts
from collec_migrations.wrapping import errata
from collec_migrations.wrapping.errata import Erratum
from tests.builders import databases, from_catalog, stored
from tests.servers import Server

ODD = Names(gacl='rights "of" all', col="100% l'Étang.x")
ACTIONS = [one for one in errata.known() if one.action in errata.ACTIONS]
CHECKS = [one for one in errata.known() if one.action in errata.CHECKS]

DAMAGE = {
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
    with databases.empty(server18) as connection:
        from_catalog.build(connection, stored.load(old), ODD)
        with connection.cursor() as cursor:
            cursor.execute(bind(erratum.sql[0], ODD.by_default_name))
            assert cursor.fetchall() == []


def runs(connection: Connection, erratum: Erratum) -> bool:
    with connection.cursor() as cursor:
        try:
            cursor.execute(bind("set search_path = col, gacl, public", ODD.by_default_name))
            for sql in (DAMAGE.get(erratum.id, "select 1"), *texts(erratum)):
                cursor.execute(bind(sql, ODD.by_default_name))
        except psycopg2.Error:
            connection.rollback()
            return False
    return True


@pytest.mark.parametrize("erratum", ACTIONS, ids=lambda one: one.id)
def test_a_correction_runs_on_one_of_the_two_versions(server18: Server, erratum: Erratum) -> None:
    found = []
    for version in erratum.step.split("-"):
        with databases.empty(server18) as connection:
            from_catalog.build(connection, stored.load(version), ODD)
            connection.commit()
            found.append(runs(connection, erratum))
    assert any(found)
