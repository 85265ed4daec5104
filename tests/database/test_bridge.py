"""Every shape that an installer leaves becomes the version's own, and nothing of a site is lost."""

import json
import random
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from _pytest.mark import ParameterSet

from collec_migrations import sql, versions
from collec_migrations.bridge import adoption, detection, read_catalog, repairs, report
from collec_migrations.bridge.repair_statements import target
from collec_migrations.catalog import Catalog, normalised
from collec_migrations.errors import RepairRefused
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection, connect
from collec_migrations.postgres.conninfo import Address
from tests import chain
from tests.builders import ddl, filled, from_catalog
from tests.servers import Server

NAMES = Names(gacl='Droits "x"', col="col")
SHAPES = [(version, shape, catalog) for version in versions.BUILT_IN
          for shape, catalog in versions.shapes(version)]  # fmt: skip


def built(catalog: Catalog) -> Catalog:
    """Return a catalog with a moment where an installer froze one."""
    frozen = json.dumps(ddl.FROZEN)[1:-1]
    return Catalog.from_json(catalog.to_json().replace("<moment of installation>", frozen))


@pytest.fixture
def session(server18: Server) -> Iterator[Connection]:
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        yield connection


SAMPLE = {
    *[("1.1", "upgraded"), ("2.3", "fresh"), ("2.6", "fresh"), ("24.1", "installer")],
    ("26.2", "fresh"),
}
"""What the ordinary run adopts; all shapes in the soak."""


INTERRUPTED = ("1.1", "2.0", "2.2", "25.0")
"""The versions whose step the ordinary run stops."""


def every(shapes: list[tuple[str, versions.Shape, Catalog]]) -> list[ParameterSet]:
    """Return the cases of a test: those beyond the sample are left to the soak."""
    return [
        pytest.param(version, catalog, id=f"{version}-{shape}",
                     marks=[] if (version, shape) in SAMPLE else pytest.mark.soak)
        for version, shape, catalog in shapes
    ]  # fmt: skip


def execute(session: Connection, statement: str) -> None:
    """Run a statement."""
    with session.cursor() as cursor:
        cursor.execute(statement)


def make(session: Connection, version: str, catalog: Catalog) -> None:
    """Make a database of a shape that says its version, as installers do."""
    from_catalog.build(session, built(catalog), NAMES)
    if versions.is_recorded(version):
        execute(
            session,
            "insert into col.dbversion (dbversion_number, dbversion_date)"
            f" values ('{version}', now())",
        )


def is_the_chains(session: Connection, version: str) -> bool:
    """Say whether a database is exactly a version, and nothing is told of it."""
    observed = normalised(read_catalog(session, NAMES))
    found = detection.verify(session, NAMES)
    return observed == target(version, observed) and found.differences == ()


TOLD_BY_STRUCTURE = [one for one in SHAPES if one[0] not in ("1.0", "1.0.4")]
"""These two differ by what a view returns, which no catalog holds: test_detection tells them."""


@pytest.mark.parametrize(("version", "catalog"), every(TOLD_BY_STRUCTURE))
def test_every_shape_is_adopted_as_its_version(
    session: Connection, version: str, catalog: Catalog
) -> None:
    make(session, version, catalog)
    assert detection.detect(session, NAMES).version == version
    assert adoption.adopt(session, NAMES).version == version
    assert is_the_chains(session, version)
    again = adoption.adopt(session, NAMES)
    assert (again.already, again.counts) == (True, {})


@pytest.mark.parametrize(("version", "catalog"), every(TOLD_BY_STRUCTURE))
def test_a_third_of_the_constraints_and_all_views_come_back(
    session: Connection, version: str, catalog: Catalog
) -> None:
    make(session, version, catalog)
    chance = random.Random(version)
    for fact in sorted(catalog.facts):
        table, _, name = fact.name.partition(".")
        schema = NAMES.by_default_name[fact.role]
        if fact.kind == "view":
            execute(session, f'drop view "{schema.replace(chr(34), chr(34) * 2)}"."{table}"')
        elif fact.kind == "constraint" and chance.random() < 1 / 3:
            place = f'"{schema.replace(chr(34), chr(34) * 2)}"."{table}"'
            execute(session, f'alter table {place} drop constraint if exists "{name}" cascade')
    assert adoption.adopt(session, NAMES).version == version
    assert is_the_chains(session, version)


WORN = """
do $$
declare
    one record;
begin
    -- The sequences behind, every third table and sequence of another owner.
    for one in select c.oid::regclass as name, c.relkind,
                      row_number() over (order by c.relname) as n
               from pg_class c join pg_namespace s on s.oid = c.relnamespace
               where s.nspname in ('{gacl}', 'col') and c.relkind in ('r', 'S')
                 and c.relname not in ('alembic_version', 'migration_history')
    loop
        if one.relkind = 'S' then
            perform setval(one.name, 1, false);
        elsif one.n % 3 = 0 then
            execute format('alter table %s owner to {role}', one.name);
        end if;
    end loop;
end
$$
"""


@pytest.mark.parametrize(("version", "catalog"), every(TOLD_BY_STRUCTURE))
def test_sequences_behind_and_other_owners_are_put_right_in_every_shape(
    session: Connection, version: str, catalog: Catalog
) -> None:
    make(session, version, catalog)
    filled.fill(session, NAMES, version, without="geom")
    role = f"worn_{random.randrange(10**9)}"
    execute(session, f"create role {role}")
    execute(session, WORN.format(gacl=NAMES.gacl, role=role))
    session.commit()
    before = filled.rows(session, NAMES)
    found = detection.detect(session, NAMES)
    assert (found.version, found.is_sound) == (version, False)
    done = adoption.adopt(session, NAMES)
    assert done.counts["owner"] > 5
    assert done.counts["sequence behind"] > 5
    assert is_the_chains(session, version)
    after = filled.rows(session, NAMES)
    assert [table for table, rows in before.items() if len(after[table]) < len(rows)] == []


def test_what_is_the_sites_own_survives(session: Connection) -> None:
    catalog = versions.upgraded("2.8")
    make(session, "2.8", catalog)
    own = (
        "create table col.our_table (id serial primary key, note text);"
        "insert into col.our_table (note) values ('ours');"
        "alter table col.sample add column our_column text default 'x';"
        "create index our_index on col.sample (our_column);"
        "create index sample_metadata_lower_x_idx on col.sample (lower(metadata::text));"
        "create view col.our_view as select sample_id, our_column from col.sample;"
        "create function col.our_function() returns int language sql as 'select 1';"
        "create function col.our_trigger() returns trigger language plpgsql as"
        " 'begin return new; end';"
        "create trigger our_trigger before insert on col.sample"
        " for each row execute procedure col.our_trigger()"
    )
    execute(session, own)
    before = {fact for fact in read_catalog(session, NAMES).facts
              if "our_" in fact.name or "lower" in fact.name}  # fmt: skip
    assert len(before) == 12
    execute(
        session,
        "drop view col.last_movement cascade; alter table col.event drop constraint event_pk",
    )
    done = adoption.adopt(session, NAMES)
    after = read_catalog(session, NAMES)
    assert before <= after.facts
    assert {"table our_table", "view our_view", "column sample.our_column"} <= set(done.own)
    found = detection.verify(session, NAMES)
    assert found.is_sound
    assert not [one for one in found.differences if "lower" in one.name]


def test_orphans_are_shown_and_kept_where_the_site_says_so(session: Connection) -> None:
    make(session, "1.1", versions.upgraded("1.1"))
    execute(
        session,
        "alter table col.container drop constraint object_container_fk;"
        "insert into col.container_family values (1, 'x', true);"
        "insert into col.container_type (container_type_id, container_type_name,"
        " container_family_id) values (1, 'x', 1);"
        "insert into col.container (uid, container_type_id)"
        " select 1000 + i, 1 from generate_series(1, 12) as i",
    )
    session.commit()
    with pytest.raises(RepairRefused, match="object_container_fk") as refused:
        adoption.adopt(session, NAMES)
    shown = str(refused.value)
    assert shown.count('"uid":10') == repairs.SHOWN
    assert "12 in all:" in shown
    assert "see: select child.* from" in shown
    assert refused.value.hint.startswith("Correct these rows, then: `collec-migrations adopt`.")
    assert "COLLEC_NOT_VALID=yes" in refused.value.hint
    session.rollback()
    adoption.adopt(session, NAMES, not_valid=True)
    found = detection.verify(session, NAMES)
    assert found.breaking == ()
    assert [one.name for one in found.differences] == ["container.object_container_fk"]


def test_sequences_owners_and_rights_are_put_right(session: Connection) -> None:
    make(session, "2.8", versions.upgraded("2.8"))
    role = f"stray_{random.randrange(10**9)}"
    execute(
        session,
        f"create role {role}; alter table col.label owner to {role};"
        "insert into col.mime_type (mime_type_id, extension, content_type)"
        " values (77, 'x', 'y')",
    )
    seen = detection.verify(session, NAMES)
    assert {"label", "mime_type_mime_type_id_seq"} <= {one.name for one in seen.differences}
    assert not detection.detect(session, NAMES).is_sound
    adoption.adopt(session, NAMES)
    assert is_the_chains(session, "2.8")


@pytest.mark.parametrize("damage", [
    "alter table col.label owner to {role}",
    "do $$ begin execute 'create or replace view col.last_movement as select * from ('"
    " || rtrim(pg_get_viewdef('col.last_movement'::regclass), ';') || ') x where false'; end $$",
])  # fmt: skip
def test_detect_calls_sound_only_what_verify_does(session: Connection, damage: str) -> None:
    make(session, "1.2", versions.upgraded("1.2"))
    adoption.adopt(session, NAMES)
    assert detection.detect(session, NAMES).is_sound
    role = f"stray_{random.randrange(10**9)}"
    execute(session, f"create role {role}; {damage.format(role=role)}")
    assert detection.verify(session, NAMES).breaking
    seen = detection.detect(session, NAMES)
    assert not seen.is_sound
    assert "as it should be" not in report.headline(seen)


def test_a_text_that_is_too_long_stops_a_change_of_type(session: Connection) -> None:
    make(session, "26.2", versions.upgraded("26.2"))
    execute(session, "drop view col.last_borrowing; alter table col.storage_condition"
            " alter column storage_condition_name type varchar(3)")  # fmt: skip
    execute(session, "insert into col.storage_condition (storage_condition_name) values ('abc')")
    adoption.adopt(session, NAMES)
    assert is_the_chains(session, "26.2")


STOPPED = [step for step in versions.steps() if versions.is_recorded(step[0])]


@pytest.mark.parametrize(("older", "newer", "stops"), [
    *(pytest.param(*step, 3) for step in STOPPED if step[1] in INTERRUPTED),
    *(pytest.param(*step, None, marks=pytest.mark.soak) for step in STOPPED),
])  # fmt: skip
def test_a_step_that_stopped_at_any_statement_is_told_and_finished(
    session: Connection, older: str, newer: str, stops: int | None
) -> None:
    """Some statements in the ordinary run, every one in the soak."""
    names = Names()
    from_catalog.build(session, built(versions.upgraded(older)), names)
    execute(session, "insert into col.dbversion (dbversion_number, dbversion_date)"
            f" values ('{older}', now())")  # fmt: skip
    session.commit()
    statements = sql.split(versions.load(f"upgrade-{older}-{newer}.sql").text)
    chance = random.Random(newer)
    places = range(len(statements) + 1)
    for stop in sorted(chance.sample(places, min(stops, len(statements)))) if stops else places:
        with session.cursor() as cursor:
            cursor.execute("set local search_path to col, gacl, public")
            for one in statements[:stop]:
                cursor.execute("savepoint before_it")
                try:
                    cursor.execute(one.text)
                except psycopg2.Error:  # it needs rows that this database does not have
                    cursor.execute("rollback to before_it")
                    break
        seen = detection.detect(session, names)
        assert set(seen.versions) <= {older, newer}, (stop, seen)
        done = adoption.adopt(session, names)
        assert done.version in (older, newer)
        observed = normalised(read_catalog(session, names))
        expected = target(done.version, observed)
        assert observed.facts ^ expected.facts == frozenset(), (stop, done.version)
        session.rollback()


@pytest.mark.parametrize("setting", [
    "quote_all_identifiers = on", "search_path = col", "row_security = off",
    "standard_conforming_strings = off",
    "idle_in_transaction_session_timeout = 100",
    "DateStyle = 'German, DMY'", "IntervalStyle = iso_8601", "default_transaction_read_only = on",
])  # fmt: skip
def test_a_setting_of_the_server_changes_nothing_of_what_is_seen(
    server18: Server, setting: str
) -> None:
    with server18.database() as address:
        with closing(psycopg2.connect(address.dsn)) as first:
            make(first, "2.8", versions.upgraded("2.8"))
            adoption.adopt(first, NAMES)
            execute(first, f"alter database {address.dbname} set {setting}")
            first.commit()
        with closing(connect(Address(address.dsn))) as second:
            assert detection.verify(second, NAMES).differences == ()
            assert detection.detect(second, NAMES).is_sound


@pytest.mark.parametrize(("version", "catalog"), every(SHAPES))
def test_what_an_installer_left_is_adopted_and_goes_to_head(
    server18: Server, version: str, catalog: Catalog
) -> None:
    with server18.database() as address:
        with closing(psycopg2.connect(address.dsn)) as session:
            make(session, version, catalog)
            rights = NAMES.gacl.replace('"', '""')
            execute(
                session,
                f"insert into \"{rights}\".aclappli (appli) values ('col');"
                f'insert into "{rights}".aclaco (aclappli_id, aco)'
                f" select aclappli_id, 'admin' from \"{rights}\".aclappli",
            )
            filled.fill(session, NAMES, version, without="geom")
            adoption.adopt(session, NAMES)
            session.commit()
            before = filled.rows(session, NAMES)
        assert sum(map(len, before.values())) > 60
        chain.upgrade(address, **chain.under(NAMES), without_postgis="yes")
        with closing(psycopg2.connect(address.dsn)) as session:
            observed = normalised(read_catalog(session, NAMES))
            head = target(versions.BUILT_IN[-1], observed)
            assert observed.facts ^ head.facts == frozenset()
            assert detection.verify(session, NAMES).breaking == ()
        chain.downgrade(address, version, **chain.under(NAMES), without_postgis="yes")
        with closing(psycopg2.connect(address.dsn)) as session:
            after = filled.rows(session, NAMES)
        # Reference rows that an installer left out may come with a later version, and stay.
        assert {table: {*rows} - {*after[table]} for table, rows in before.items()} == {
            table: set() for table in before
        }
