"""Make the two schemas of any version on any server, from the catalog alone.

What a catalog does not say cannot be had: the order of a table's columns (they come in the order
of their names), the queries of views and the bodies of functions (dummies that return nulls),
comments, rights and owners (all belongs to the connected role). The frozen default of
`object.change_date` has the moment `FROZEN`.

`pg_trgm` and `btree_gin` must be available (they are in Debian's server and in both wheels) and
the role must be a superuser. PostGIS is not needed: unless a type `geography` is there already,
`geography.sql` makes a stand-in. Nor is pgcrypto: `public.gen_random_uuid()` is a function that
calls PostgreSQL's own (13 or later).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import extensions

from collec_migrations.catalog import Catalog
from collec_migrations.names import Names
from tests.builders import ddl

GEOGRAPHY = Path(__file__).with_name("geography.sql")


def build(connection: extensions.connection, catalog: Catalog, names: Names) -> None:
    """Create the schemas `names` with exactly the facts of `catalog`; the caller commits.

    A rights schema that is there already is taken as it is, so that several data schemas can
    stand beside it.
    """
    with search_path_kept(connection):
        surround(connection, catalog, names)
        if not _exists(connection, names.gacl):
            _build_schema(connection, ddl.kinds(catalog, "gacl"), names.gacl, behind=())
        _build_schema(connection, ddl.kinds(catalog, "col"), names.col, behind=(names.gacl,))


DECOMPRESS = """
create function public.geography_decompress(internal) returns internal
language internal immutable strict as 'gist_box_decompress';
alter operator family public.gist_geography_ops using gist
  add function 4 (public.geography) public.geography_decompress(internal);
"""
"""What a class of gist may leave out from 11 on only."""


def surround(connection: extensions.connection, catalog: Catalog, names: Names) -> None:
    """Create what a catalog takes for granted outside of its schemas."""
    kinds = ddl.kinds(catalog, "col")
    definitions = " ".join(fact.definition for fact in catalog.facts)
    if any(ddl.of_extension(*function) for function in kinds.get("function", {}).items()):
        # The installer of 2.4 put the extension into the data schema.
        _run(connection, f"create schema if not exists {ddl.quote(names.col)}")
        _run(connection, f"create extension pg_trgm schema {ddl.quote(names.col)}")
    elif "trgm_ops" in definitions:
        _run(connection, "create extension if not exists pg_trgm schema public")
    if any(" USING gin (" in d and "_ops" not in d for d in kinds.get("index", {}).values()):
        _run(connection, "create extension if not exists btree_gin schema public")
    if "geography(" in definitions and not _type_exists(connection, "public.geography"):
        _run(connection, GEOGRAPHY.read_text())
        if connection.server_version < 110000:
            _run(connection, DECOMPRESS)
    if "public.gen_random_uuid()" in definitions and not _has_uuids(connection):
        _run(
            connection,
            "create or replace function public.gen_random_uuid() returns uuid"
            " language sql as 'select pg_catalog.gen_random_uuid()'",
        )


def _has_uuids(connection: extensions.connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regprocedure('public.gen_random_uuid()') is not null")
        return bool((cursor.fetchone() or (False,))[0])


@contextmanager
def search_path_kept(connection: extensions.connection) -> Iterator[None]:
    """Put the session's search path back at the end of the block, unless it failed."""
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('search_path')")
        (before,) = cursor.fetchone() or ("",)
        yield
        cursor.execute("select set_config('search_path', %s, false)", (before,))


def _build_schema(
    connection: extensions.connection, facts: ddl.Kinds, schema: str, *, behind: tuple[str, ...]
) -> None:
    path = ", ".join(map(ddl.quote, (schema, *behind, "public")))
    _run(connection, f"create schema if not exists {ddl.quote(schema)}")
    _run(connection, f"set search_path to {path}")
    _run(connection, ";\n".join(ddl.statements(facts)))


def _exists(connection: extensions.connection, schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_namespace where nspname = %s", (schema,))
        return cursor.fetchone() is not None


def _type_exists(connection: extensions.connection, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regtype(%s) is not null", (name,))
        return bool((cursor.fetchone() or (False,))[0])


def _run(connection: extensions.connection, statement: str) -> None:
    """Run a statement as it is: without parameters, psycopg2 leaves `%` alone."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
