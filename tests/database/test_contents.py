"""Arbitrary rows load into every version, and arbitrary names are names of schemas."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from collec_migrations.names import Names
from tests import strategies
from tests.builders import content, databases, from_catalog, rows, stored
from tests.servers import Server

slow = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)

KEYS_AGAIN = """
select string_agg(format('alter table %s drop constraint %I, add constraint %I %s',
  conrelid::regclass, conname, conname, pg_get_constraintdef(oid)), ';')
from pg_constraint
where contype = 'f' and connamespace in ('gacl'::regnamespace, 'col'::regnamespace)
"""
"""Gives the statement that drops every foreign key and adds it again."""


@pytest.mark.parametrize("version", stored.CHAIN)
def test_any_content_loads_as_it_is(server18: Server, version: str) -> None:
    catalog = stored.load(version)

    @slow
    @given(strategies.contents(catalog))
    def loads(drawn: content.Content) -> None:
        connection.rollback()
        content.replace_rows(connection, Names(), drawn)
        connection.commit()
        for schema in ("gacl", "col"):
            counts = {table: count for table, (count, _) in rows.digest(connection, schema).items()}
            counts.pop("dbversion", None)
            assert counts == {
                table.name: len(made) for table, made in drawn.tables if table.role == schema
            }

    with databases.at(server18, version) as connection:
        loads()


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.4", "26.2"])
def test_constraints_hold_without_skipping_checks(server18: Server, version: str) -> None:
    """Every key is dropped and added again, so that PostgreSQL itself looks at every row."""

    @slow
    @given(strategies.contents(stored.load(version)))
    def holds(drawn: content.Content) -> None:
        connection.rollback()
        with connection.cursor() as cursor:
            content.replace_rows(connection, Names(), drawn)
            cursor.execute("set local search_path to gacl, col, public")
            cursor.execute(KEYS_AGAIN)
            (again,) = cursor.fetchone() or ("",)
            cursor.execute(again)

    with databases.at(server18, version) as connection:
        holds()


def test_thousands_of_rows_are_one_example(server18: Server) -> None:
    found: list[int] = []

    @settings(slow, max_examples=3)
    @given(strategies.contents(stored.load("1.0.8"), at_most=4_000))
    def loads(drawn: content.Content) -> None:
        connection.rollback()
        content.replace_rows(connection, Names(), drawn)
        found.append(len(drawn))

    with databases.at(server18, "1.0.8") as connection:
        loads()
    assert max(found) > 1_000


def test_the_next_id_is_free_after_loading(server18: Server) -> None:
    @slow
    @given(strategies.contents(stored.load("1.1"), at_most=3))
    def gives(drawn: content.Content) -> None:
        connection.rollback()
        with connection.cursor() as cursor:
            content.replace_rows(connection, Names(), drawn)
            cursor.execute(
                "insert into col.printer (printer_name, printer_queue) values ('a', 'b')"
            )

    with databases.at(server18, "1.1") as connection:
        gives()


def test_any_name_is_a_name_of_a_schema(server18: Server) -> None:
    @settings(slow, max_examples=60)
    @given(strategies.identifiers())
    def taken(name: str) -> None:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
            cursor.execute("select 1 from pg_namespace where nspname = %s", (name,))
            assert cursor.fetchone() == (1,)

    with databases.empty(server18) as connection:
        taken()


@settings(slow, max_examples=10)
@given(drawn=strategies.two_names(), data=st.data())
def test_two_pairs_of_any_names_are_built_and_filled(
    server18: Server, drawn: tuple[Names, Names], data: st.DataObject
) -> None:
    catalog = stored.load("1.0.8")
    rolled_back = data.draw(strategies.contents(catalog, at_most=2))
    with databases.empty(server18) as connection:
        for names in drawn:
            from_catalog.build(connection, catalog, names)
            content.replace_rows(connection, names, rolled_back)
        one, other = (rows.dump_rows(connection, names.col) for names in drawn)
    assert not rows.difference(one, other)
