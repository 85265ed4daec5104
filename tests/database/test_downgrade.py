"""Every step down arrives: the catalog, the application's version, history, owners and rights."""

import pytest

from collec_migrations import versions
from collec_migrations.catalog import compare
from collec_migrations.errors import DowngradeRefused, MigrationError
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

FAR = [(chain.HEAD, "1.0"), ("24.0", "2.3"), ("2.0", "1.0.8")]
LAST_ROW = (
    "select version, kind, script from {}.migration_history"
    " order by migration_history_id desc limit 1"
)


def versions_told(address: Address) -> set[str]:
    """Return the versions that `dbversion` names; none when there is no such table."""
    if chain.query(address, "select to_regclass('col.dbversion')") == [(None,)]:
        return set()
    return {
        str(number)
        for (number,) in chain.query(address, "select dbversion_number from col.dbversion")
    }


def assert_at(address: Address, version: str) -> None:
    """Assert that everything says that a database came down to a version."""
    assert not compare(expected=chain.known(version), observed=chain.catalog(address)), version
    told = versions_told(address)
    is_recorded = versions.is_recorded(version)
    assert max(told, key=versions.order, default=None) == (version if is_recorded else None)
    for schema in ("gacl", "col"):
        assert chain.query(address, LAST_ROW.format(schema))[0][:2] == (version, "downgraded")
    assert chain.query(address, "select version_num from col.alembic_version") == [(version,)]


def test_every_step_down_reaches_the_facts_of_its_version(any_server: Server) -> None:
    with any_server.database(chain.template_at(any_server, chain.HEAD)) as address:
        for version in reversed(chain.VERSIONS[:-1]):
            chain.downgrade(address, version)
            assert_at(address, version)


@pytest.mark.parametrize(("new", "old"), FAR)
def test_many_steps_at_once_reach_them_too(
    server18: Server, clone: Clone, new: str, old: str
) -> None:
    address = clone(chain.template_at(server18, new))
    chain.downgrade(address, old)
    assert_at(address, old)


def test_one_step_down_is_minus_one(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    assert chain.alembic("downgrade", "-1", url=address.url).returncode == 0
    assert chain.alembic("current", url=address.url).stdout == "1.0.8\n"
    for version in ("1.0.6", "1.0.5", "1.0.4", "1.0"):
        chain.downgrade(address, "-1")
        assert chain.query(address, "select version_num from col.alembic_version") == [(version,)]


def test_a_database_installed_at_once_reaches_every_version(database: Address) -> None:
    chain.upgrade(database)
    for version in reversed(chain.VERSIONS[:-1]):
        chain.downgrade(database, version)
        assert_at(database, version)


def test_each_step_leaves_a_row_of_history(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.downgrade(address, "1.0")
    told = chain.query(
        address,
        "select version, script from col.migration_history"
        " where kind = 'downgraded' order by migration_history_id",
    )
    assert told == [
        ("1.0.8", "downgrade-1.1-1.0.8.sql"),
        ("1.0.6", "downgrade-1.0.8-1.0.6.sql"),
        ("1.0.5", "downgrade-1.0.6-1.0.5.sql"),
        ("1.0.4", "downgrade-1.0.5-1.0.4.sql"),
        ("1.0", "downgrade-1.0.4-1.0.sql"),
    ]


def test_per_version_keeps_the_steps_before_the_one_that_fails(
    server18: Server, clone: Clone
) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    # Of a type that goes with its table no catalog tells: the server refuses it, at that step.
    chain.execute(address, "create table col.own (place col.sampling_place)")
    with pytest.raises(DowngradeRefused, match=r"table col\.own"):
        chain.downgrade(address, "1.0", transaction="per-version")
    assert chain.query(address, "select version_num from col.alembic_version") == [("1.0.5",)]
    chain.execute(address, "drop table col.own")
    assert not compare(expected=chain.known("1.0.5"), observed=chain.catalog(address))


@pytest.mark.parametrize("version", ["1.3", "1.0.7", "1.0.8-1"])
def test_a_version_that_does_not_exist_is_refused(
    server18: Server, clone: Clone, version: str
) -> None:
    address = clone(chain.template_at(server18, "1.0.8"))
    with pytest.raises(MigrationError, match="is not a version of the database"):
        chain.downgrade(address, version)
    assert not compare(expected=chain.known("1.0.8"), observed=chain.catalog(address))


RIGHTS = """
select n.nspname, c.relname, pg_get_userbyid(c.relowner),
       array(select unnest(c.relacl)::text order by 1)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('gacl', 'col') and c.relkind in ('r', 'v', 'S')
  and c.relname !~ '^(alembic_version|migration_history)'
order by 1, 2
"""


def test_owners_and_grants_are_those_from_before(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.0"))
    for role in ("downgrade_keeper", "downgrade_reader", "downgrade_watcher"):
        chain.execute(address, f"drop role if exists {role}; create role {role}")
    chain.execute(address, OWNED)
    before = chain.query(address, RIGHTS)
    for version in (chain.HEAD, "1.0"):
        if version == "1.0":
            chain.execute(address, PRINTER)
        chain.upgrade(address) if version == chain.HEAD else chain.downgrade(address, version)
        owners = {row[2] for row in chain.query(address, RIGHTS)}
        assert owners == {"downgrade_keeper"}
        ((watched,),) = chain.query(
            address,
            "select has_table_privilege('downgrade_watcher', 'col.last_movement', 'select')",
        )
        assert watched, version
    assert chain.query(address, RIGHTS) == before
    archived = (
        "select pg_get_userbyid(c.relowner), pg_get_userbyid(n.nspowner) from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace where c.relname = 'printer'"
    )
    assert chain.query(address, archived) == [("downgrade_keeper", "downgrade_keeper")]


PRINTER = "insert into col.printer (printer_name, printer_queue) values ('a', 'b')"
OWNED = """
do $$
declare
    item record;
begin
    for item in
        select c.oid::regclass as name, c.relkind as kind, c.relname
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('gacl', 'col') and c.relkind in ('r', 'v', 'S')
          and c.relname !~ '^(alembic_version|migration_history)'
        order by c.relkind desc
    loop
        if item.kind = 'v' then
            execute format('alter view %s owner to downgrade_keeper', item.name);
        elsif item.kind = 'r' then
            execute format('alter table %s owner to downgrade_keeper', item.name);
        elsif item.relname = 'seq_logingestion_id' then
            execute format('alter sequence %s owner to downgrade_keeper', item.name);
        end if;
    end loop;
end
$$;
alter schema gacl owner to downgrade_keeper;
alter schema col owner to downgrade_keeper;
grant usage on schema gacl, col to downgrade_reader, downgrade_watcher;
grant select, insert on all tables in schema gacl, col to downgrade_reader;
grant usage, select on all sequences in schema gacl, col to downgrade_reader;
grant select on col.last_movement to downgrade_watcher with grant option;
"""
