"""What a project tests against databases of Collec-Science."""

import time
from contextlib import closing

import psycopg
import pytest

from collec_migrations.errors import MigrationError


def rows(database, query):
    with psycopg.connect(database.dsn) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("version", ["1.0", "1.0.8", "1.1"])
def test_samples_are_there_in_every_version(collec_database, version):
    database = collec_database(version, rows=50)
    assert rows(database, "select version_num from col.alembic_version") == [(version,)]
    assert rows(database, "select count(*) from col.storage") == [(50,)]


@pytest.mark.parametrize("number", range(4))
def test_what_one_test_writes_no_other_sees(collec_database, number):
    database = collec_database("1.1", rows=50)
    with closing(database.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "delete from col.storage where storage_id in (select storage_id from"
            " col.storage limit 1)"
        )
        cursor.execute("select count(*) from col.storage")
        assert cursor.fetchone() == (49,)


def test_the_same_seed_makes_the_same_samples(collec_database):
    query = "select uid, identifier from col.object order by uid"
    found = [rows(collec_database("1.0.8", rows=20, seed=seed), query) for seed in (7, 7, 8)]
    assert found[0] == found[1] != found[2]


def test_a_database_of_its_own_names(collec_database):
    database = collec_database("1.1", gacl="droits", col="lab a")
    assert rows(database, 'select count(*) from "lab a".sample') == [(0,)]


def test_a_version_that_is_none_names_those_that_are(collec_database):
    with pytest.raises(MigrationError, match=r"'1\.0\.7' is not a version of the chain"):
        collec_database("1.0.7")


def test_sqlalchemy_takes_the_address(collec_database):
    import sqlalchemy

    engine = sqlalchemy.create_engine(collec_database().url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select 1 from col.sample")).all() == []
    engine.dispose()


def test_a_clone_takes_milliseconds(collec_database):
    collec_database("1.1", rows=50)
    took = []
    for _ in range(5):
        start = time.perf_counter()
        collec_database("1.1", rows=50)
        took.append(time.perf_counter() - start)
    assert min(took) < 1.0
