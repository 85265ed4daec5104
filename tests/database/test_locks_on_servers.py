"""The locks that are foretold are those that the servers take."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import locks, sql, versions
from collec_migrations.locks import Lock, Mode
from collec_migrations.migrate import surroundings
from tests.servers import Server

SCHEMAS = ("gacl", "col", "toy")
CREATION = ("gacl_create-1.0.sql", "col_create-1.0.sql")
UPGRADES = (
    "upgrade-1.0-1.0.4.sql",
    "upgrade-1.0.4-1.0.5.sql",
    "upgrade-1.0.5-1.0.6.sql",
    "upgrade-1.0.6-1.0.8.sql",
    "upgrade-1.0.8-1.1.sql",
)
ROWS = """
insert into col.metadata_set (metadata_set_name) values ('soil');
insert into col.metadata_schema (metadata_schema_name) values ('ph');
insert into col.metadata_attribute (metadata_set_id, metadata_name)
    select metadata_set_id, 'depth' from col.metadata_set;
insert into col.sample_type (sample_type_name, metadata_set_id)
    select 'core', metadata_set_id from col.metadata_set;
"""
HELD = """
select relation::bigint, mode from pg_locks
where pid = pg_backend_pid() and locktype = 'relation'
"""
FILES = """
select c.oid::bigint, pg_relation_filenode(c.oid), n.nspname, c.relname, c.relkind
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('gacl', 'col', 'toy') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
"""
SCANS = "select relid::bigint, coalesce(seq_scan, 0) from pg_stat_xact_all_tables"

Place = tuple[str, str]


class Witness:
    """Runs a statement in a transaction of its own and compares what it does with a forecast."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.world = surroundings.read(cursor, SCHEMAS)
        cursor.execute(FILES)
        self.known: dict[int, Place] = {row[0]: (row[2], row[3]) for row in cursor.fetchall()}
        cursor.connection.commit()

    def run(self, sql: str) -> list[str]:
        """Return how forecast and reality differ."""
        foreseen = locks.effects(self.world, sql).locks
        files, scans = self._files(), self._scans()
        self.cursor.execute(sql)
        held = self._held()
        rewritten = {
            self.known[oid] for oid, node in self._files().items() if self._new(oid, node, files)
        }
        scanned = {place for place, count in self._scans().items() if count > scans.get(place, 0)}
        self.cursor.connection.commit()
        return [
            *_locks(foreseen, held),
            *_rewrites(foreseen, rewritten),
            *_scans(foreseen, scanned),
        ]

    def _new(self, oid: int, node: int, files: dict[int, int]) -> bool:
        return oid in self.known and files.get(oid) != node

    def _files(self) -> dict[int, int]:
        self.cursor.execute(FILES)
        return {row[0]: row[1] for row in self.cursor.fetchall() if row[4] != "S"}

    def _scans(self) -> dict[Place, int]:
        self.cursor.execute(SCANS)
        return {
            self.known[oid]: count for oid, count in self.cursor.fetchall() if oid in self.known
        }

    def _held(self) -> dict[Place, set[Mode]]:
        self.cursor.execute(HELD)
        found: dict[Place, set[Mode]] = {}
        for oid, mode in self.cursor.fetchall():
            if oid in self.known:
                found.setdefault(self.known[oid], set()).add(_mode(mode))
        return found


def _mode(text: str) -> Mode:
    """Return the mode that pg_locks calls `AccessShareLock`."""
    return next(
        mode for mode in Mode if mode.name.replace("_", "").lower() + "lock" == text.lower()
    )


def _place(lock: Lock) -> Place:
    return lock.relation.schema, lock.relation.name


def _locks(foreseen: tuple[Lock, ...], held: dict[Place, set[Mode]]) -> Iterator[str]:
    anything = [lock.mode for lock in foreseen if lock.relation is locks.ANY]
    for place, modes in held.items():
        own = [lock.mode for lock in foreseen if _place(lock) == place] + anything
        if not own or max(own) < max(modes):
            yield f"not foreseen: {place} {max(modes).text}, only {[mode.text for mode in own]}"
    for lock in foreseen:
        if lock.certain and lock.mode not in held.get(_place(lock), set()):
            yield f"did not happen: {_place(lock)} {lock.mode.text}, held {held.get(_place(lock))}"


def _rewrites(foreseen: tuple[Lock, ...], rewritten: set[Place]) -> Iterator[str]:
    told = {_place(lock) for lock in foreseen if lock.rewrites}
    certain = {_place(lock) for lock in foreseen if lock.rewrites and lock.certain}
    yield from (f"rewrite not foreseen: {place}" for place in rewritten - told)
    yield from (f"rewrite did not happen: {place}" for place in certain - rewritten)


def _scans(foreseen: tuple[Lock, ...], scanned: set[Place]) -> Iterator[str]:
    told = {_place(lock) for lock in foreseen if lock.scans and lock.certain and not lock.rewrites}
    yield from (f"scan did not happen: {place}" for place in told - scanned)


@pytest.fixture
def cursor(any_server: Server) -> Iterator[Cursor]:
    with any_server.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        yield connection.cursor()


@pytest.mark.parametrize("rows", ["", ROWS], ids=["empty", "filled"])
def test_locks_of_every_statement_of_the_chain_are_foreseen(cursor: Cursor, rows: str) -> None:
    for name in CREATION:
        cursor.execute(versions.load(name).text)
    cursor.execute(rows or "select 1")
    cursor.connection.commit()
    witness = Witness(cursor)

    wrong = [
        f"{name}:{statement.line}: {difference}"
        for name in UPGRADES
        for statement in sql.split(versions.load(name).text)
        for difference in witness.run(statement.text)
    ]

    assert wrong == []


TOY = """
create schema toy;
create table toy.parent (parent_id serial primary key, code varchar(5), price numeric(5, 2));
create table toy.child (child_id serial primary key, parent_id integer references toy.parent,
                        note varchar, born timestamp);
create table toy.other (other_id integer primary key, parent_id integer);
create index child_note_idx on toy.child (note);
create view toy.children as select child_id, parent_id from toy.child;
create view toy.elders as
    select child_id, c.parent_id from toy.children c join toy.parent p using (parent_id);
create materialized view toy.heap as select parent_id from toy.parent;
create sequence toy.counter;
create domain toy.code as varchar check (value <> '');
create function toy.react() returns trigger language plpgsql as 'begin return new; end';
create trigger child_react before update on toy.child for each row execute procedure toy.react();
insert into toy.parent (code, price) select 'a' || i, i from generate_series(1, 9) i;
insert into toy.child (parent_id, note) select i, 'x' from generate_series(1, 9) i;
"""
STATEMENTS = (
    "alter table toy.child add column a integer",
    "alter table toy.child add column a integer not null default 1",
    "alter table toy.child add column a timestamp default now()",
    "alter table toy.child add column a timestamp default clock_timestamp()",
    "alter table toy.child add column a double precision default random()",
    "alter table toy.child add column a serial",
    "alter table toy.child add column a toy.code",
    "alter table toy.child add column a integer generated by default as identity",
    "alter table toy.child add column a integer unique",
    "alter table toy.child add column a integer references toy.other",
    "alter table toy.child add column a integer default 1 check (a > 0)",
    "alter table toy.child drop column note",
    "alter table toy.child drop column parent_id cascade",
    "alter table toy.parent alter column code type varchar(9)",
    "alter table toy.parent alter column code type varchar(3)",
    "alter table toy.parent alter column price type numeric(9, 2)",
    "alter table toy.parent alter column price type numeric(9, 3)",
    "alter table toy.parent alter column price type double precision",
    "alter table toy.other alter column parent_id type bigint",
    "alter table toy.other alter column parent_id type bigint using parent_id + 1",
    "alter table toy.child alter column note type text",
    "alter table toy.child alter column note set not null",
    "alter table toy.child alter column child_id drop default",
    "alter table toy.child alter column note set default 'z'",
    "alter table toy.child alter column note set statistics 50",
    "alter table toy.child set (fillfactor = 90)",
    "alter table toy.child add constraint n check (note <> '')",
    "alter table toy.child add constraint n check (note <> '') not valid",
    "alter table toy.other add foreign key (parent_id) references toy.parent",
    "alter table toy.other add foreign key (parent_id) references toy.parent not valid",
    "alter table toy.other add constraint u unique (parent_id)",
    "alter table toy.child drop constraint child_parent_id_fkey",
    "alter table toy.child drop constraint child_pkey",
    "alter table toy.child disable trigger child_react",
    "alter table toy.child enable row level security",
    "alter table toy.child rename to kid",
    "alter table toy.child rename column note to remark",
    "alter table toy.child rename constraint child_pkey to kid_pkey",
    "alter table toy.child set schema public",
    "alter table toy.child owner to pg_monitor",
    "alter view toy.elders owner to pg_monitor",
    "alter sequence toy.counter owner to pg_monitor",
    "alter sequence toy.counter restart with 5",
    "alter sequence toy.counter owned by toy.other.parent_id",
    "alter index toy.child_note_idx rename to n",
    "alter schema toy rename to game",
    "create table toy.new (a integer references toy.parent, b serial)",
    "create table toy.new (like toy.parent including all)",
    "create table toy.new () inherits (toy.other)",
    "create table toy.new as select * from toy.elders",
    "create view toy.new as select * from toy.elders",
    "create or replace view toy.children as select child_id, parent_id, note from toy.child",
    "create index on toy.child (born)",
    "create unique index child_u on toy.child (born, note)",
    "create sequence toy.new owned by toy.other.other_id",
    "create trigger t after insert on toy.other for each row execute procedure toy.react()",
    "create rule r as on delete to toy.other do nothing",
    "create policy p on toy.other",
    "create function toy.f() returns bigint language sql as 'select count(*) from toy.elders'",
    "create function toy.f() returns bigint language plpgsql as 'begin return 1; end'",
    "comment on table toy.child is 'x'",
    "comment on column toy.child.note is 'x'",
    "comment on view toy.elders is 'x'",
    "comment on sequence toy.counter is 'x'",
    "comment on index toy.child_note_idx is 'x'",
    "comment on constraint child_pkey on toy.child is 'x'",
    "comment on schema toy is 'x'",
    "drop table toy.other",
    "drop table toy.parent cascade",
    "drop table toy.child cascade",
    "drop view toy.elders",
    "drop materialized view toy.heap",
    "drop index toy.child_note_idx",
    "drop sequence toy.counter",
    "drop trigger child_react on toy.child",
    "drop function toy.react() cascade",
    "drop schema toy cascade",
    "truncate toy.other",
    "truncate toy.parent cascade",
    "grant select on toy.child to pg_monitor",
    "lock table toy.child in share mode",
    "refresh materialized view toy.heap",
    "insert into toy.other values (1, 1)",
    "insert into toy.child (parent_id) select parent_id from toy.parent",
    "insert into toy.child (parent_id) values (1)",
    "update toy.child set note = 'y' from toy.other o where o.parent_id = child.parent_id",
    "update toy.child set parent_id = 2",
    "update toy.parent set code = 'z'",
    "delete from toy.child",
    "delete from toy.parent where parent_id = 100",
    "select * from toy.elders",
    "with child as (select 1) select * from child",
    "select * from toy.child for update",
    "select setval('toy.counter', 5)",
    "select nextval('toy.counter')",
    "select pg_get_serial_sequence('toy.child', 'child_id')",
    "set search_path = toy; update other set parent_id = 1",
    "cluster toy.child using child_pkey",
    "do $$ begin execute 'alter table toy.other drop column parent_id'; end $$",
    "do $$ begin if exists (select 1 from toy.child) then drop table toy.other; end if; end $$",
    "do $$ begin execute format('drop table %I.%I', 'toy', 'other'); end $$",
    "do $$ declare r record; begin for r in select conname, conrelid::regclass as t from"
    " pg_constraint where contype = 'f' and conrelid = 'toy.child'::regclass loop"
    " execute format('alter table %s drop constraint %I', r.t, r.conname); end loop; end $$",
)


@pytest.fixture
def toy(any_server: Server) -> Iterator[Cursor]:
    template = any_server.template("toy", lambda address: any_server.psql(TOY, address.dbname))
    with (
        any_server.database(template) as address,
        closing(psycopg2.connect(address.dsn)) as connection,
    ):
        yield connection.cursor()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_locks_of_a_statement_are_foreseen(toy: Cursor, statement: str) -> None:
    assert Witness(toy).run(statement) == []
