"""What real databases are: built from catalogs and scripts, half-way, several, odd ones."""

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pglast
import psycopg2
import pytest
from psycopg2 import sql

from collec_migrations import versions
from collec_migrations import versions as releases
from collec_migrations.bridge import decision, detection, read_catalog
from collec_migrations.bridge.decision import Answer
from collec_migrations.catalog import normalised
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.connection import Connection
from collec_migrations.versions import Shape
from tests.builders import from_catalog
from tests.servers import Server

NAMES = Names()
CHAIN = ("1.0", "1.0.4", "1.0.5", "1.0.6", "1.0.8", "1.1")
STEPS = tuple(pairwise(CHAIN))
CREATE = ("gacl_create-1.0.sql", "col_create-1.0.sql")
AWKWARD = [
    Names(gacl="Droits X", col="lab-A"),
    Names(gacl="user", col="order"),
    Names(gacl="o'br\"ien", col="%s é"),
    Names(gacl="object", col="sample"),
]


@pytest.fixture
def session(server18: Server) -> Iterator[Connection]:
    """Give a connection to an empty database; each test rolls back or lets it be dropped."""
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        yield connection


def run(connection: Connection, *scripts: str) -> None:
    """Run scripts with the default names in the current transaction."""
    with connection.cursor() as cursor:
        for name in scripts:
            cursor.execute(versions.load(name).text)
        cursor.execute("reset search_path")


def upgrade_scripts(version: str) -> list[str]:
    """Return the scripts from 1.0 to a version."""
    steps = STEPS[: CHAIN.index(version)]
    return [f"upgrade-{older}-{newer}.sql" for older, newer in steps]


@pytest.mark.parametrize("version", CHAIN)
def test_what_the_scripts_make_is_recognised_exactly(session: Connection, version: str) -> None:
    run(session, *CREATE, *upgrade_scripts(version))
    answer = detection.detect(session, NAMES)
    assert (answer.answer, answer.versions, answer.differences) == (Answer.EXACT, (version,), ())
    assert detection.verify(session, NAMES, version=version).differences == ()


def test_a_fresh_installation_is_recognised_exactly(session: Connection) -> None:
    run(session, "gacl_create-1.1.sql", "col_create-1.1.sql")
    assert detection.detect(session, NAMES).answer is Answer.EXACT
    assert detection.verify(session, NAMES, version="1.1").differences == ()


SHAPES = [(version, shape) for version in releases.VERSIONS
          for shape, _ in releases.shapes(version)]  # fmt: skip


def test_what_catalogs_make_is_recognised_exactly_under_any_names(server18: Server) -> None:
    wrong: list[str] = []
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        for place, (version, shape) in enumerate(SHAPES):
            names = AWKWARD[place % len(AWKWARD)]
            answer = _detected(connection, version, shape, names)
            if version not in answer[1] or answer[0] not in (Answer.EXACT, Answer.AMBIGUOUS):
                wrong.append(f"{version} {shape} {names}: {answer}")
            connection.rollback()
    assert not wrong, "\n".join(wrong)


def _detected(
    connection: Connection, version: str, shape: Shape, names: Names
) -> tuple[Answer, tuple[str, ...], list[str]]:
    catalog = releases.catalog(version, shape)
    assert catalog is not None
    from_catalog.build(connection, catalog, names)
    with connection.cursor() as cursor:
        if releases.is_recorded(version):
            _say(cursor, names, version)
        if version == "2.1":
            cursor.execute(
                sql.SQL("insert into {} (dbparam_id, dbparam_name) values (2, 'x')").format(
                    sql.Identifier(names.col, "dbparam")
                )
            )
    # The views of these databases return nothing: what they mean is not asked.
    answer = decision.decide(detection.read_evidence(connection, names))
    return answer.answer, answer.versions, [one.sentence for one in answer.serious]


def _say(cursor: psycopg2.extensions.cursor, names: Names, version: str) -> None:
    cursor.execute(
        sql.SQL(
            "insert into {} (dbversion_id, dbversion_number, dbversion_date) values (1, {}, now())"
        ).format(sql.Identifier(names.col, "dbversion"), sql.Literal(version))
    )


@pytest.mark.parametrize(("ids", "told"), [("(1), (5)", False), ("(1), (2)", True)])
def test_a_pre_release_of_26_2_is_told_by_its_missing_type(
    server18: Server, ids: str, told: bool
) -> None:
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        from_catalog.build(connection, releases.upgraded("26.2"), NAMES)
        with connection.cursor() as cursor:
            _say(cursor, NAMES, "26.2")
            table = sql.Identifier(NAMES.col, "dataset_type")
            cursor.execute(
                sql.SQL(
                    "insert into {} (dataset_type_id, dataset_type_name)"
                    " select v.id, 'x' || v.id from (values " + ids + ") as v (id)"
                ).format(table)
            )
        answer = detection.detect(connection, NAMES)
    assert answer.versions == ("26.2",)
    assert [one.known for one in answer.serious if one.kind != "sequence"] == (
        ["pre-releases of 26.2 recorded 26.2 before it was complete"] if told else []
    )


@pytest.mark.parametrize(("older", "newer"), STEPS)
def test_a_step_that_stops_names_both_versions(session: Connection, older: str, newer: str) -> None:
    run(session, *CREATE, *upgrade_scripts(older))
    script = versions.load(f"upgrade-{older}-{newer}.sql").text
    wrong: list[str] = []
    with session.cursor() as cursor:
        for place, statement in enumerate(pglast.split(script)):
            cursor.execute(statement)
            answer = detection.detect(session, NAMES)
            said = " ".join([*answer.versions, *answer.why,
                             *(one.sentence for one in answer.differences)])  # fmt: skip
            untouched = answer.answer is Answer.EXACT and answer.versions in ((older,), (newer,))
            if not untouched and not (older in said and newer in said):
                wrong.append(f"{place} {statement[:60]!r}: {answer.answer} {said}")
    assert not wrong, "\n".join(wrong)


def test_the_step_of_the_view_is_told_by_what_it_returns(session: Connection) -> None:
    run(session, *CREATE)
    assert detection.detect(session, NAMES).versions == ("1.0",)
    run(session, "upgrade-1.0-1.0.4.sql")
    assert detection.detect(session, NAMES).versions == ("1.0.4",)


def test_a_view_whose_query_fails_tells_no_step_and_hides_no_version(session: Connection) -> None:
    run(session, *CREATE)
    with session.cursor() as cursor:
        cursor.execute("select pg_get_viewdef('col.last_movement'::regclass)")
        ((query,),) = cursor.fetchall()
        query = query.rstrip("; \n")
        cursor.execute(
            f"create or replace view col.last_movement as select v.* from ({query}) v"
            " where 1 / (select 0) = 1"
        )
    assert detection.detect(session, NAMES).versions == ("1.0", "1.0.4"), "as one of both"


def test_two_pairs_and_a_second_data_schema_are_found(session: Connection) -> None:
    first, second = Names(gacl="Droits X", col="lab-A"), Names(gacl="rights", col="lab_b")
    beside = Names(gacl="rights", col="lab_c")
    for names, version in ((first, "26.2"), (second, "1.1"), (beside, "1.1")):
        from_catalog.build(session, releases.upgraded(version), names)
        with session.cursor() as cursor:
            _say(cursor, names, version)
    found = detection.find(session)
    assert set(found.pairs) == {first, second, beside}
    assert [detection.detect(session, names).versions for names in (first, second, beside)] == [
        ("26.2",), ("1.1",), ("1.1",)]  # fmt: skip
    assert not found.unpaired


def test_other_databases_are_not_taken_for_it(session: Connection) -> None:
    assert detection.detect(session, NAMES).answer is Answer.EMPTY
    with session.cursor() as cursor:
        cursor.execute("create schema gacl; create schema col")
        assert detection.detect(session, NAMES).answer is Answer.EMPTY
        cursor.execute("create table col.event (id serial); create table col.label (id serial)")
    assert detection.detect(session, NAMES).answer is Answer.OTHER
    assert detection.find(session).pairs == ()


def test_a_site_may_have_thousands_of_tables_of_its_own(session: Connection) -> None:
    run(session, "gacl_create-1.1.sql", "col_create-1.1.sql")
    with session.cursor() as cursor:
        for number in range(500):
            cursor.execute(f"create table col.own_{number} (own_{number}_id serial primary key)")
        # As 10,000 tables do under the usual 2 MB: one select for each is one level of the stack.
        cursor.execute("set local max_stack_depth = '120kB'")
    found = detection.detect(session, NAMES)
    assert found.version == "1.1"
    assert found.is_sound


def test_rights_alone_are_said_so(session: Connection) -> None:
    run(session, "gacl_create-1.1.sql")
    assert detection.detect(session, NAMES).answer is Answer.ONLY_GACL
    assert detection.find(session).lone_gacl == ("gacl",)


@pytest.mark.parametrize("rights", ["", "grant usage on schema gacl, col to reader_{}"])
def test_a_role_that_can_merely_read_gets_the_same_facts(session: Connection, rights: str) -> None:
    run(session, "gacl_create-1.1.sql", "col_create-1.1.sql")
    mine = read_catalog(session, NAMES)
    role = f"reader_{len(rights)}"
    with session.cursor() as cursor:
        cursor.execute(f"create role {role}")
        if rights:
            cursor.execute(rights.format(len(rights)))
        cursor.execute(f"set local role {role}; set transaction_read_only to on")
    assert read_catalog(session, NAMES) == mine
    answer = detection.detect(session, NAMES)
    assert answer.versions == ("1.1",)
    assert any("may not be read" in one for one in answer.why)
    session.rollback()


@pytest.mark.parametrize("names", AWKWARD, ids=repr)
def test_reading_does_not_depend_on_the_session(session: Connection, names: Names) -> None:
    from_catalog.build(session, releases.upgraded("26.2"), names)
    expected = releases.upgraded("26.2")
    with session.cursor() as cursor:
        for path in ("", '"lab-A"', "pg_catalog", "public"):
            cursor.execute("select set_config('search_path', %s, false)", (path,))
            assert read_catalog(session, names) == expected
            cursor.execute("show search_path")
            assert cursor.fetchone() == (path,)


def test_every_server_gives_the_facts_of_the_catalogs(any_server: Server) -> None:
    with any_server.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        for version in ("1.1", "2.4", "26.2"):
            catalog = releases.upgraded(version)
            from_catalog.build(connection, catalog, AWKWARD[0])
            found = read_catalog(connection, AWKWARD[0])
            found, catalog = normalised(found), normalised(catalog)
            frozen = {fact for fact in found.facts if fact.name == "object.change_date"}
            assert found.facts - frozen == {
                fact for fact in catalog.facts if fact.name != "object.change_date"
            }
            connection.rollback()


def test_the_tools_own_tables_are_no_facts(session: Connection) -> None:
    run(session, "gacl_create-1.1.sql", "col_create-1.1.sql")
    mine = read_catalog(session, NAMES)
    with session.cursor() as cursor:
        cursor.execute(
            "create table col.alembic_version (version_num varchar(32) not null"
            " constraint alembic_version_pkc primary key);"
            "create table col.migration_history (id serial primary key, version text unique);"
            "create table gacl.migration_history (id serial primary key);"
            "create extension pg_trgm schema col"
        )
    assert read_catalog(session, NAMES) == mine


@pytest.fixture(scope="module", params=[5_000, pytest.param(100_000, marks=pytest.mark.soak)])
def crowded(server18: Server, request: pytest.FixtureRequest) -> Iterator[Address]:
    """Give a database of 1.1 with many tables of other applications."""
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        run(connection, "gacl_create-1.1.sql", "col_create-1.1.sql")
        connection.commit()
        connection.autocommit = True
        with connection.cursor() as cursor:
            for number in range(request.param // 500):
                cursor.execute(
                    f"create schema other_{number};"
                    f"do $$ begin for i in 1..500 loop execute format("
                    f"'create table other_{number}.t%s (id integer)', i); end loop; end $$"
                )
        yield address


def test_many_other_tables_do_not_matter(crowded: Address) -> None:
    with closing(psycopg2.connect(crowded.dsn)) as connection:
        assert detection.find(connection).pairs == (NAMES,)
        assert detection.detect(connection, NAMES).answer is Answer.EXACT
