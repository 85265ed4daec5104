"""The generator of laboratory data."""

import time
from hashlib import sha256

import psycopg2
import pytest
from psycopg2 import extensions, sql

from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.catalog import compare
from collec_migrations.names import Names
from collec_migrations.testing import sample_data
from tests.builders import databases, from_catalog, rows, schema, stored, variants
from tests.servers import Server

ODD = Names(gacl='g "x%s', col="c'ol %(first)s {}")


def digests(connection: extensions.connection, names: Names) -> dict[str, object]:
    """Return the digest of every table of both schemas."""
    return {
        f"{role}.{table}": digest
        for role, name in (("gacl", names.gacl), ("col", names.col))
        for table, digest in rows.digest(connection, name).items()
    }


def broken_references(connection: extensions.connection, version: str) -> list[str]:
    """Return the foreign keys that some row breaks, found without trusting the constraint."""
    query = sql.SQL(
        "select count(*) from {} as c where ({}) is not null"
        " and not exists (select 1 from {} as p where ({}) = ({}))"
    )
    broken = []
    for table in schema.tables(stored.load(version)):
        for key in table.foreign_keys:
            own = sql.SQL(", ").join(sql.Identifier("c", c) for c in key.columns)
            target = sql.SQL(", ").join(sql.Identifier("p", c) for c in key.targets)
            with connection.cursor() as cursor:
                cursor.execute(
                    query.format(
                        sql.Identifier(*table.key), own, sql.Identifier(*key.table), target, own
                    )
                )
                if cursor.fetchone() != (0,):
                    broken.append(f"{table.key} {key}")
    return broken


MOVEMENTS = {"1": "col.storage", "2": "col.movement"}


SOME = ("1.1", "2.4", "24.0", "fresh/26.2")
"""Filled in every run of the tests; the others in long ones."""


@pytest.mark.parametrize("version", SOME)
def test_every_table_and_column_gets_sound_rows(server18: Server, version: str) -> None:
    fill_soundly(server18, version)


@pytest.mark.soak
@pytest.mark.parametrize("version", sorted({*stored.UPGRADED, *stored.FRESH} - {*SOME}))
def test_every_table_and_column_of_every_version_gets_sound_rows(
    server18: Server, version: str
) -> None:
    fill_soundly(server18, version)


@pytest.mark.parametrize("version", ["1.0", "26.2"])
def test_every_server_can_be_filled(any_server: Server, version: str) -> None:
    fill_soundly(any_server, version)


def fill_soundly(server: Server, version: str) -> None:
    with databases.at(server, version) as connection:
        before = read_catalog(connection, Names())
        filled = sample_data.fill(connection, Names(), movements=300)
        digest = digests(connection, Names())
        counts = {table: found[0] for table, found in digest.items()}  # type: ignore[index]  # a pair
        assert counts.pop("col.dbversion", 0) == 0
        assert counts == filled.rows
        assert all(counts.values())
        assert counts[MOVEMENTS[version.removeprefix("fresh/")[0]]] == 300
        assert not empty_columns(connection)
        assert not broken_references(connection, version)
        assert not compare(expected=before, observed=read_catalog(connection, Names()))


def empty_columns(connection: extensions.connection) -> list[tuple[str, str]]:
    """Return the columns in which no row has a value."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
            " join information_schema.tables using (table_schema, table_name)"
            " where table_schema in ('gacl', 'col') and table_type = 'BASE TABLE'"
            " and table_name <> 'dbversion'"
        )
        for schema_name, table, column in cursor.fetchall():
            cursor.execute(
                sql.SQL("select count({}) from {}").format(
                    sql.Identifier(column), sql.Identifier(schema_name, table)
                )
            )
            if cursor.fetchone() == (0,):
                found.append((table, column))
    return found


def test_the_same_seed_makes_the_same_rows_on_any_server(any_server: Server) -> None:
    if any_server.major < 12:
        pytest.skip("before 12 a floating point number is not written in full")
    with databases.at(any_server, "26.2") as connection:
        sample_data.fill(connection, Names(), movements=100, seed=7)
        found = sorted(digests(connection, Names()).items())
        assert sha256(repr(found).encode()).hexdigest()[:16] == "7c09dbdd88834c35"


NOVELTY = """
create type col.colour as enum ('red', 'green');
create domain col.percentage as smallint;
create table col.novelty (
    novelty_id serial primary key, novelty_code varchar(4) not null unique,
    sample_id integer not null references col.sample, parent_id integer references col.novelty,
    colour col.colour not null, share col.percentage, tags text[] not null, span int4range not null,
    place point, since date not null, length interval, price numeric(6, 2), note text not null
);
create table col.novelty_pair (
    novelty_id integer not null references col.novelty,
    sample_type_id integer not null references col.sample_type,
    barcode_id integer not null references col.barcode,
    primary key (novelty_id, sample_type_id, barcode_id)
);
create table col.one_for_each (sample_id integer primary key references col.sample, word text);
alter table col.sample add column twin_id integer unique references col.object;
alter table col.collection add column main_sample_id integer references col.sample,
    add column worth numeric(8, 2) not null;
"""


def test_a_new_table_and_a_new_column_need_nothing_here(server18: Server) -> None:
    with databases.at(server18, "26.2") as connection:
        with connection.cursor() as cursor:
            cursor.execute(NOVELTY)
        for seed in (1, 2):
            filled = sample_data.fill(connection, Names(), movements=300, seed=seed)
            assert filled.rows["col.novelty"] > 10
            assert filled.rows["col.novelty_pair"] > 10
        assert not empty_columns(connection)
        with connection.cursor() as cursor:
            cursor.execute("select count(distinct main_sample_id) > 3 from col.collection")
            assert cursor.fetchone() == (True,)
        # The server says itself whether what was loaded unchecked is sound.
        with connection.cursor() as cursor:
            cursor.execute(
                "select format('alter table %s drop constraint %I, add constraint %I %s',"
                " conrelid::regclass, conname, conname, pg_get_constraintdef(oid))"
                " from pg_constraint where contype = 'f' and connamespace = 'col'::regnamespace"
            )
            for (statement,) in cursor.fetchall():
                cursor.execute(statement)


@pytest.mark.parametrize("table", ["col.storage", "col.sample", "col.document", "gacl.log"])
def test_another_seed_makes_other_rows(server18: Server, table: str) -> None:
    found = []
    for seed in (1, 1, 2):
        with databases.at(server18, "1.0.8") as connection:
            sample_data.fill(connection, Names(), movements=100, seed=seed)
            found.append(digests(connection, Names())[table])
    assert found[0] == found[1] != found[2]


def test_a_second_filling_adds_to_the_first_under_any_names(server18: Server) -> None:
    with databases.empty(server18) as connection:
        from_catalog.build(connection, stored.load("1.0.8"), ODD)
        first = sample_data.fill(connection, ODD, movements=50)
        second = sample_data.fill(connection, ODD, movements=50, seed=2)
        assert first.rows["col.storage"] == second.rows["col.storage"] == 50
        assert second.rows["col.movement_type"] == 0
        counts = digests(connection, ODD)
        assert counts["col.storage"][0] == 100  # type: ignore[index]  # a pair


@pytest.mark.parametrize("version", ["1.0", "1.0.8", "1.1", "26.2"])
def test_every_sequence_gives_an_id_that_is_free(server18: Server, version: str) -> None:
    with databases.at(server18, version) as connection, connection.cursor() as cursor:
        sample_data.fill(connection, Names(), movements=50)
        cursor.execute(
            "select format('select nextval(%L) - max(%I) from %I.%I', pg_get_serial_sequence("
            "format('%I.%I', table_schema, table_name), column_name), column_name, table_schema,"
            " table_name) from information_schema.columns where table_schema in ('gacl', 'col')"
            " and column_default like 'nextval%%' and table_name <> 'dbversion'"
            " and pg_get_serial_sequence(format('%I.%I', table_schema, table_name), column_name)"
            " is not null"
        )
        for (query,) in cursor.fetchall():
            cursor.execute(query)
            assert cursor.fetchone() == (1,), query
        cursor.execute(
            "select nextval('gacl.seq_logingestion_id') - max(id) from gacl.logingestion"
        )
        assert cursor.fetchone() == (1,)


def test_objects_know_their_newest_movement(server18: Server) -> None:
    with databases.at(server18, "26.2") as connection, connection.cursor() as cursor:
        sample_data.fill(connection, Names(), movements=2000)
        cursor.execute(
            "select count(*), count(o.last_movement_id) from col.object o left join ("
            " select distinct on (uid) uid, movement_id from col.movement"
            " order by uid, movement_date desc, movement_id desc) as newest using (uid)"
            " where o.last_movement_id is distinct from movement_id or movement_id is not null"
        )
        objects, moved = cursor.fetchone() or (0, 1)
        assert objects == moved > 200


def test_movements_are_those_of_a_laboratory(server18: Server) -> None:
    with databases.at(server18, "1.1") as connection, connection.cursor() as cursor:
        sample_data.fill(connection, Names(), movements=2000)

        def count(condition: str) -> int:
            cursor.execute(f"select count(*) from {condition}")
            return int((cursor.fetchone() or (0,))[0])

        assert count("col.storage where movement_type_id = 1 and container_id is not null") > 500
        assert count("col.storage where movement_type_id = 2 and container_id is null") > 500
        assert (
            count("col.storage s join col.container c using (container_id) where s.uid=c.uid") == 0
        )
        tied = "(select uid, storage_date from col.storage group by 1, 2 having count(*) > 1) as t"
        assert count(tied) > 10
        assert count("col.sample where parent_sample_id is not null") > 20
        assert count("col.document where document_creation_date is null") > 5
        assert count("col.object where uid not in (select uid from col.storage)") > 5


@pytest.mark.parametrize("variant", variants.of_version("1.0.8"), ids=lambda v: v.name)
def test_what_the_field_has_can_be_filled(server18: Server, variant: variants.Variant) -> None:
    with databases.at(server18, "1.0.8") as connection:
        variant(connection, Names())
        assert sample_data.fill(connection, Names(), movements=20).rows["col.storage"] == 20


@pytest.mark.parametrize(("version", "table"), [("1.1", "storage"), ("26.2", "movement")])
def test_a_role_that_may_not_skip_checks_fills_too(
    server18: Server, version: str, table: str
) -> None:
    with databases.at(server18, version) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create role plain; grant usage on schema gacl, col to plain;"
            "grant all on all tables in schema gacl, col to plain;"
            "grant all on all sequences in schema gacl, col to plain;"
            "set local role plain"
        )
        assert sample_data.fill(connection, Names(), movements=200).rows[f"col.{table}"] == 200


def test_a_failure_leaves_no_setting_behind(server18: Server) -> None:
    with databases.at(server18, "1.0.8") as connection, connection.cursor() as cursor:
        cursor.execute("alter table col.booking add check (booking_id < 3)")
        connection.commit()
        with pytest.raises(psycopg2.errors.CheckViolation):
            sample_data.fill(connection, Names(), movements=20)
        connection.rollback()
        cursor.execute("show session_replication_role")
        assert cursor.fetchone() == ("origin",)


def test_a_hundred_thousand_movements_take_seconds(server18: Server) -> None:
    with databases.at(server18, "26.2") as connection:
        start = time.perf_counter()
        sample_data.fill(connection, Names(), movements=100_000)
        assert time.perf_counter() - start < 20
