"""The creation scripts of 26.2: catalog, rows and sequences, with PostGIS and without."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import extensions, sql

from collec_migrations import catalog
from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.names import Names
from tests.builders import stored
from tests.servers import Server

ROOT = Path(__file__).parent.parent.parent
VERSION = "26.2"
ROWS = json.loads((ROOT / "tests" / "data" / f"rows-{VERSION}.json").read_text("utf-8"))
ALSO_EMPTY = ("(own stylesheet)", "(generated)")
"""What stands in the data for a value that each installation makes."""
GEOGRAPHY = {("column", "object.geom"), ("index", "col_object_geom_idx")}


def script(name: str) -> str:
    return (ROOT / "legacy_sql" / f"{name}_create-{VERSION}.sql").read_text("utf-8")


@contextmanager
def created(server: Server, *, postgis: bool) -> Iterator[extensions.connection]:
    with server.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("create extension pg_trgm schema public")
            cursor.execute(script("gacl") + script("col"))
            if postgis:
                cursor.execute("create schema geo; create extension postgis schema geo")
                cursor.execute("set search_path to public, geo")
                cursor.execute(
                    (ROOT / "legacy_sql" / f"col_create-{VERSION}-postgis.sql").read_text("utf-8")
                )
        yield connection


def difference(connection: extensions.connection) -> set[tuple[str, str]]:
    known = catalog.normalised(catalog.thawed(stored.load(VERSION))).facts
    found = catalog.normalised(read_catalog(connection, Names())).facts
    return {(fact.kind, fact.name) for fact in known ^ found}


def has_postgis(server: Server) -> bool:
    with closing(psycopg2.connect(server.address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select 1 from pg_available_extensions where name = 'postgis'")
        return cursor.fetchone() is not None


def test_the_catalog_without_postgis_lacks_the_geography_alone(any_server: Server) -> None:
    with created(any_server, postgis=False) as connection:
        assert difference(connection) == GEOGRAPHY


def test_the_catalog_with_postgis_is_exact(any_server: Server) -> None:
    if not has_postgis(any_server):
        pytest.skip("this server has no PostGIS")
    with created(any_server, postgis=True) as connection:
        assert difference(connection) == set()


def test_the_rows_are_those_of_a_fresh_installation(server18: Server) -> None:
    with created(server18, postgis=False) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema in ('gacl', 'col') and table_type = 'BASE TABLE'"
        )
        for schema, table in cursor.fetchall():
            cursor.execute(
                sql.SQL("select to_jsonb(r) from {} r").format(sql.Identifier(schema, table))
            )
            found = [row for (row,) in cursor]
            expected = ROWS["rows"].get(f"{schema}.{table}", [])
            assert comparable(found, expected) == comparable(expected, expected), table


def comparable(rows: list[dict[str, object]], like: list[dict[str, object]]) -> list[str]:
    """Return rows as text, in the columns of `like` whose values are not made on the spot."""
    columns = {
        name
        for row in like
        for name, value in row.items()
        if not any(other.get(name) in ALSO_EMPTY for other in like)
    }
    kept = [{name: row[name] for name in columns & row.keys()} for row in rows]
    return sorted(json.dumps(row, sort_keys=True) for row in kept)


def test_each_sequence_is_at_the_greatest_id_of_its_column(server18: Server) -> None:
    with created(server18, postgis=False) as connection, connection.cursor() as cursor:
        for sequence, _ in ROWS["sequences_at"].items():
            if "migration_history" in sequence:
                continue
            cursor.execute(
                "select table_schema, table_name, column_name from information_schema.columns"
                " where column_default like %s and table_name <> 'login_oldpassword'",
                [f"%{sequence.split('.')[1]}'%"],
            )
            ((schema, table, column),) = cursor.fetchall()
            cursor.execute(
                sql.SQL("select (select last_value from {}), max({}) from {}").format(
                    sql.Identifier(*sequence.split(".")),
                    sql.Identifier(column),
                    sql.Identifier(schema, table),
                )
            )
            last, greatest = cursor.fetchone() or (None, None)
            assert last == greatest, sequence
