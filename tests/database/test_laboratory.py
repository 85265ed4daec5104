"""The generator of laboratory data."""

import time

import psycopg2
import pytest
from psycopg2 import extensions, sql

from collec_migrations.catalog import compare
from collec_migrations.names import Names
from collec_migrations.testing import sample_data
from tests.builders import databases, from_catalog, reader, rows, schema, stored, variants
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


@pytest.mark.parametrize("version", stored.CHAIN)
def test_every_table_gets_sound_rows(any_server: Server, version: str) -> None:
    with databases.at(any_server, version) as connection:
        before = reader.read(connection, Names())
        filled = sample_data.fill(connection, Names(), movements=300)
        digest = digests(connection, Names())
        counts = {table: found[0] for table, found in digest.items()}  # type: ignore[index]  # a pair
        assert counts.pop("col.dbversion", 0) == 0
        assert counts == filled.rows
        assert all(counts.values())
        assert counts["col.storage"] == 300
        assert not broken_references(connection, version)
        assert not compare(expected=before, observed=reader.read(connection, Names()))


def test_the_same_seed_makes_the_same_rows_on_any_server(any_server: Server) -> None:
    with databases.at(any_server, "1.1") as connection:
        sample_data.fill(connection, Names(), movements=100, seed=7)
        assert rows.digest(connection, "col")["storage"] == (100, 60827365646317793841)


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


@pytest.mark.parametrize("version", ["1.0", "1.0.8", "1.1"])
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


def test_a_role_that_may_not_skip_checks_fills_too(server18: Server) -> None:
    with databases.at(server18, "1.1") as connection, connection.cursor() as cursor:
        cursor.execute(
            "create role plain; grant usage on schema gacl, col to plain;"
            "grant all on all tables in schema gacl, col to plain;"
            "grant all on all sequences in schema gacl, col to plain;"
            "set local role plain"
        )
        assert sample_data.fill(connection, Names(), movements=200).rows["col.storage"] == 200


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
    with databases.at(server18, "1.1") as connection:
        start = time.perf_counter()
        sample_data.fill(connection, Names(), movements=100_000)
        assert time.perf_counter() - start < 20
