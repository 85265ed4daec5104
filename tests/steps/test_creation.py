"""The creation scripts of 26.2: catalog, rows and sequences, with PostGIS and without."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
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


# The two roads --------------------------------------------------------------------------------

CHAIN = (
    *("1.1", "1.2", "1.2.3", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8"),
    *("2.8.1", "24.0", "24.1", "25.0", "26.0", "26.1", "26.2"),
)
MEETING = """
select 'view ' || c.oid::regclass, pg_get_viewdef(c.oid) from pg_class c
where c.relkind = 'v' and c.relnamespace in ('gacl'::regnamespace, 'col'::regnamespace)
union all
select 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid) from pg_proc p
where p.pronamespace in ('gacl'::regnamespace, 'col'::regnamespace)
union all
select 'sequence ' || sequencename, concat_ws(' ', data_type::text, min_value, max_value,
    start_value, case when sequencename <> 'dbparam_dbparam_id_seq' then last_value end)
from pg_sequences where schemaname in ('gacl', 'col')
union all
select 'columns of ' || table_name, string_agg(column_name, ',' order by ordinal_position)
from information_schema.columns where table_schema in ('gacl', 'col') group by 1
union all
select 'label ' || label_id, label_xsl from col.label
"""


def test_the_chain_meets_what_is_created_at_once(server18: Server) -> None:
    """Views, functions, sequences, order of columns, stylesheets and rows are the same."""
    folder = ROOT / "legacy_sql"
    with (
        created(server18, postgis=False) as at_once,
        server18.database() as address,
        closing(psycopg2.connect(address.dsn)) as connection,
    ):
        with connection.cursor() as cursor:
            cursor.execute("create extension pg_trgm schema public; set search_path to public")
            for name in ("gacl_create-1.1", "col_create-1.1"):
                cursor.execute((folder / f"{name}.sql").read_text("utf-8"))
            for before, after in pairwise(CHAIN):
                cursor.execute((folder / f"upgrade-{before}-{after}.sql").read_text("utf-8"))
        assert meeting(connection) == meeting(at_once)


def meeting(connection: extensions.connection) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("set search_path to pg_catalog")
        cursor.execute(MEETING)
        found = dict(cursor.fetchall())
        for table in ROWS["rows"]:
            # The id of a parameter and the moment of the installation are free.
            cursor.execute(
                "select string_agg(text, e'\\n' order by text) from (select regexp_replace("
                "to_jsonb(r)::text, '\"(dbparam_id|create_date)\": [^,}]*', '') as text"
                f" from {table} r) as rows"
            )
            found |= {f"rows of {table}": row[0] for row in cursor.fetchall()}
    return found
