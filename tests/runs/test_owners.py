"""Owners and rights of what an upgrade makes: the same, whoever runs it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg2 import sql

from collec_migrations.errors import MigrationError
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.runs.states import state
from tests.servers import Server

OWNER, MEMBER, READER, WRITER, PARTIAL = 'lab "owner"', "lab member", "reader", "wri'ter", "partial"
ROLES = (OWNER, MEMBER, READER, WRITER, PARTIAL, "minor", "app")
PASSWORD = "x"
OBJECTS = """
select n.nspname::text, c.relname::text, c.relkind::text, pg_get_userbyid(c.relowner)::text,
       coalesce((select array_agg(a::text order by a::text) from unnest(c.relacl) a),
                array(select a::text from unnest(acldefault(
                    (case c.relkind when 'S' then 's' else 'r' end)::"char", c.relowner)) a))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname ~ '^(gacl|col)' and c.relkind in ('r', 'v', 'S')
union all
select n.nspname, '', 'n', pg_get_userbyid(n.nspowner), n.nspacl::text[]
from pg_namespace n where n.nspname ~ '^(gacl|col)'
order by 1, 2
"""
ALLOWED = "select has_table_privilege(%s, %s, %s)"
GIVE = '''
do $$
declare
    made record;
begin
    for made in select c.oid::regclass as name from pg_class c
                where c.relnamespace in ('gacl'::regnamespace, 'col'::regnamespace)
                  and c.relkind in ('r', 'v')
    loop
        execute format('alter table %s owner to %I', made.name, 'lab "owner"');
    end loop;
end
$$;
alter sequence gacl.seq_logingestion_id owner to "lab ""owner""";
alter schema gacl owner to "lab ""owner""";
alter schema col owner to "lab ""owner""";
'''
GRANTS = """
grant usage on schema gacl, col to reader, "wri'ter", partial, app;
grant select on all tables in schema gacl, col to reader;
grant insert, update on all tables in schema gacl, col to "wri'ter" with grant option;
revoke grant option for update on col.sample from "wri'ter";
grant usage on all sequences in schema gacl, col to "wri'ter";
grant select on all tables in schema col to partial;
revoke select on col.label from partial;
grant references on all tables in schema col to public;
grant select (uid) on col.last_movement to app;
grant delete on col.last_movement to app;
"""


def at_1_0_8(server: Server) -> str:
    """Return the name of a template that the owner's tables fill, with grants to others."""

    def build(address: Address) -> None:
        for role in ROLES:
            if not chain.query(address, "select 1 from pg_roles where rolname = %s", role):
                server.create_role(role, PASSWORD)
        chain.execute(address, f'grant "lab ""owner""" to "{MEMBER}"')
        chain.upgrade(address, "1.0.8")
        with chain.connected(address) as connection:
            sample_data.fill(connection, chain.DEFAULT, movements=60)
            connection.commit()
        chain.execute(address, GIVE + GRANTS)

    return server.template("owned", build)


def with_extensions(server: Server, address: Address) -> None:
    """Make what only a superuser may make before 13: he does so before the owner upgrades."""
    if server.major < 13:
        chain.execute(address, "create extension pg_trgm schema public")


@pytest.fixture
def owned(any_server: Server) -> Iterator["Owned"]:
    with ExitStack() as stack:
        yield Owned(any_server, at_1_0_8(any_server), stack)


@pytest.fixture
def upgraded(any_server: Server) -> Iterator[Address]:
    """Give a clone that the superuser upgraded."""

    def build(address: Address) -> None:
        chain.upgrade(address)

    template = any_server.template("owned at head", build, at_1_0_8(any_server))
    with any_server.database(template) as address:
        yield address


class Owned:
    """Clones of the template, and runs on them as some role."""

    def __init__(self, server: Server, template: str, stack: ExitStack) -> None:
        self.server = server
        self._template = template
        self._stack = stack

    def clone(self, prepare: str = "") -> Address:
        """Return a new clone, prepared by statements of the superuser."""
        address = self._stack.enter_context(self.server.database(self._template))
        create = sql.SQL("grant create on database {} to {}")
        with chain.connected(address) as connection:
            names = sql.Identifier(address.dbname), sql.Identifier(OWNER)
            connection.cursor().execute(create.format(*names))
            connection.commit()
        with_extensions(self.server, address)
        if prepare:
            chain.execute(address, prepare)
        return address

    def upgrade(self, address: Address, role: str | None, version: str = "head") -> None:
        """Upgrade as a role, or as the superuser."""
        url = address.url
        if role:
            url = self.server.tcp_url(quote(role), PASSWORD, address.dbname)
        chain.upgrade(address, version, url=url)


def objects(address: Address) -> list[tuple[object, ...]]:
    """Return all relations and schemas with owner and rights."""
    return chain.query(address, OBJECTS)


def allowed(address: Address, role: str, table: str, privilege: str) -> bool:
    """Return whether a role has a right on a table."""
    return bool(chain.query(address, ALLOWED, role, table, privilege)[0][0])


NEW = ("gacl.passwordlost", "col.printer", "col.metadata")


def test_owners_and_rights_are_the_same_whoever_runs_it(owned: Owned) -> None:
    found = []
    for role in (OWNER, MEMBER, None):
        address = owned.clone()
        owned.upgrade(address, role)
        assert chain.catalog(address) == chain.known(chain.HEAD)
        found.append(objects(address))
    assert found[0] == found[1]
    assert found[0] == found[2]
    assert {row[3] for row in found[0]} == {OWNER}
    assert {row[0] for row in found[0]} == {"gacl", "gacl_archive", "col", "col_archive"}


def test_rights_on_all_tables_extend_to_new_ones(upgraded: Address) -> None:
    address = upgraded
    for table in NEW:
        assert allowed(address, READER, table, "select")
        assert not allowed(address, READER, table, "insert")
        assert allowed(address, WRITER, table, "insert with grant option")
        assert allowed(address, WRITER, table, "update")
        assert not allowed(address, PARTIAL, table, "select")
        assert allowed(address, "app", table, "references") == table.startswith("col.")
    # One old table was lent without that option: so is a new one of its schema.
    assert not allowed(address, WRITER, "col.printer", "update with grant option")
    usage = "select has_sequence_privilege(%s, 'col.printer_printer_id_seq', 'usage')"
    assert chain.query(address, usage, WRITER) == [(True,)]
    assert chain.query(address, usage, READER) == [(False,)]


def test_the_right_to_maintain_extends_to_new_tables(owned: Owned) -> None:
    if owned.server.major < 17:
        pytest.skip("MAINTAIN exists from 17 on")
    address = owned.clone("grant maintain on all tables in schema gacl, col to app")
    owned.upgrade(address, OWNER, "1.1")
    assert all(allowed(address, "app", table, "maintain") for table in NEW)


def test_a_replaced_view_keeps_its_grants(owned: Owned) -> None:
    address = owned.clone()
    owned.upgrade(address, None, "1.1")
    assert allowed(address, "app", "col.last_movement", "delete")
    column = "select has_column_privilege('app', 'col.last_movement', 'uid', 'select')"
    assert chain.query(address, column) == [(True,)]


def test_the_archive_is_the_owners_alone(upgraded: Address) -> None:
    address = upgraded
    assert allowed(address, OWNER, "col_archive.collec_archive", "select")
    kept = "select relation from col_archive.collec_archive"
    for (relation,) in chain.query(address, kept):
        assert allowed(address, OWNER, f'col_archive."{relation}"', "select")
    usage = "select has_schema_privilege(%s, 'col_archive', 'usage')"
    assert chain.query(address, usage, READER) == [(False,)]


def test_the_owners_default_privileges_are_respected(owned: Owned) -> None:
    given = (
        'alter default privileges for role "lab ""owner""" in schema col'
        " grant select on tables to partial;"
        ' alter default privileges for role "lab ""owner""" grant trigger on tables to app;'
        ' alter default privileges for role "lab ""owner""" grant select on sequences to app'
    )
    for role in (OWNER, None):
        address = owned.clone(given)
        owned.upgrade(address, role, "1.1")
        assert allowed(address, PARTIAL, "col.printer", "select")
        assert not allowed(address, PARTIAL, "gacl.passwordlost", "select")
        assert allowed(address, "app", "gacl.passwordlost", "trigger")
        sequence = "select has_sequence_privilege('app', 'col.printer_printer_id_seq', 'select')"
        assert chain.query(address, sequence) == [(True,)]


def test_default_privileges_of_whoever_runs_it_do_not_leak(owned: Owned) -> None:
    given = (
        "alter default privileges for role super grant all on tables to app;"
        "alter default privileges for role super grant all on sequences to app"
    )
    by_owner, by_superuser = owned.clone(given), owned.clone(given)
    owned.upgrade(by_owner, OWNER)
    owned.upgrade(by_superuser, None)
    assert objects(by_superuser) == objects(by_owner)
    assert not allowed(by_superuser, "app", "col.printer", "select")


def test_of_several_owners_the_one_of_most_tables_owns_new_ones(owned: Owned) -> None:
    address = owned.clone(
        "alter table col.label owner to minor; alter table col.sample owner to minor;"
        "grant usage, create on schema col to minor;"
        "grant select on all tables in schema col to minor"
    )
    owned.upgrade(address, None, "1.1")
    owner = "select pg_get_userbyid(relowner) from pg_class where oid = %s::regclass"
    assert chain.query(address, owner, "col.printer") == [(OWNER,)]
    assert chain.query(address, owner, "col.label") == [("minor",)]
    # It may read all tables of the schema: some as their owner.
    assert allowed(address, "minor", "col.printer", "select")


def test_the_two_schemas_can_have_different_owners(owned: Owned) -> None:
    address = owned.clone(
        "do $$ declare t regclass; begin for t in select oid from pg_class"
        " where relnamespace = 'gacl'::regnamespace and relkind = 'r' loop"
        " execute format('alter table %s owner to minor', t); end loop; end $$;"
        "alter sequence gacl.seq_logingestion_id owner to minor;"
        "alter schema gacl owner to minor"
    )
    owned.upgrade(address, None, "1.1")
    owner = "select pg_get_userbyid(relowner) from pg_class where oid = %s::regclass"
    assert chain.query(address, owner, "gacl.passwordlost") == [("minor",)]
    assert chain.query(address, owner, "gacl.passwordlost_passwordlost_id_seq") == [("minor",)]
    assert chain.query(address, owner, "col.printer") == [(OWNER,)]


TRIGGER = '''
create table col.seen (who text);
alter table col.seen owner to "lab ""owner""";
create function col.harm() returns trigger language plpgsql as $$
begin
    insert into col.seen values (current_user);
    begin
        reset role;
        alter role "lab ""owner""" superuser;
    exception when others then
        insert into col.seen values (sqlstate);
    end;
    begin
        copy (select 1) to program 'cat > /dev/null';
    exception when others then
        insert into col.seen values (sqlstate);
    end;
    return new;
end
$$;
alter function col.harm() owner to "lab ""owner""";
create trigger harm before insert on col.dbversion for each row execute procedure col.harm();
'''


def test_a_trigger_of_the_owner_gets_no_rights_of_a_superuser_who_upgrades(owned: Owned) -> None:
    address = owned.clone(TRIGGER)
    owned.upgrade(address, None, "1.2")
    seen = [row[0] for row in chain.query(address, "select distinct who from col.seen order by 1")]
    assert seen == ["42501", OWNER]
    roles = chain.query(address, "select rolsuper from pg_roles where rolname = %s", OWNER)
    assert roles == [(False,)]


@pytest.mark.parametrize(
    "prepare",
    [
        'create table col.printer (); alter table col.printer owner to "lab ""owner"""',
        "alter table col.label rename column label_fields to other",
        "alter table col.sample_type drop column container_type_id cascade",
    ],
)
def test_a_superuser_is_told_where_a_script_fails_as_the_owner_is(
    owned: Owned, prepare: str
) -> None:
    told = []
    for role in (OWNER, None):
        with pytest.raises(MigrationError) as failed:
            owned.upgrade(owned.clone(prepare), role)
        told.append(str(failed.value))
    assert told[0] == told[1]
    assert "legacy_sql/upgrade-" in told[0]


@pytest.mark.parametrize("role", [READER, WRITER, "app"])
def test_a_role_with_too_few_rights_changes_nothing(owned: Owned, role: str) -> None:
    address = owned.clone("grant select on col.alembic_version, gacl.migration_history to app")
    before = state(address), objects(address)
    with pytest.raises(MigrationError) as refused:
        owned.upgrade(address, role)
    assert "denied" in str(refused.value) or "may not" in str(refused.value)
    assert (state(address), objects(address)) == before


def test_whoever_installs_owns_everything(any_server: Server) -> None:
    at_1_0_8(any_server)  # makes the roles
    with any_server.database() as address:
        chain.execute(address, f'grant create on database {address.dbname} to "lab ""owner"""')
        with_extensions(any_server, address)
        chain.upgrade(address, url=any_server.tcp_url(quote(OWNER), PASSWORD, address.dbname))
        assert {row[3] for row in objects(address)} == {OWNER}
        assert chain.catalog(address) == chain.known(chain.HEAD)


SEVERAL = """
alter table col.dbversion owner to minor; alter table col.label owner to minor;
alter table col.sample owner to minor;
grant usage, create on schema col to minor;
alter function col.harm() owner to minor; alter table col.seen owner to minor;
"""


def test_a_trigger_of_one_of_several_owners_gets_no_rights_of_a_superuser(owned: Owned) -> None:
    address = owned.clone(TRIGGER + SEVERAL)
    superusers = "select rolname from pg_roles where rolsuper order by 1"
    before = chain.query(address, superusers)
    owned.upgrade(address, None)
    assert chain.catalog(address) != chain.known("1.0.8")
    seen = {row[0] for row in chain.query(address, "select distinct who from col.seen")}
    assert "42501" in seen
    assert chain.query(address, "select 1 from pg_roles where rolname ~ '^collec_run'") == []
    assert chain.query(address, superusers) == before
    owners = {(row[1], row[3]) for row in objects(address)}
    assert ("sample", "minor") in owners
    assert {owner for _, owner in owners} == {OWNER, "minor"}


def test_a_superuser_who_owns_a_part_is_told_to_give_it_away(owned: Owned, tmp_path: Path) -> None:
    address = owned.clone("alter table col.label owner to super")
    before = state(address), objects(address)
    with pytest.raises(MigrationError, match="rights of a superuser") as refused:
        owned.upgrade(address, None)
    assert (state(address), objects(address)) == before
    shown = chain.run(
        "collec-migrations", "upgrade", "--plan", "--url", address.url, folder=tmp_path
    )
    assert 'alter table "col"."label" owner to "lab ""owner"""' in shown.stdout + shown.stderr
    chain.execute(address, refused.value.hint.partition(": ")[2])
    owned.upgrade(address, None)
    assert chain.catalog(address) == chain.known(chain.HEAD)


def test_of_many_things_of_a_superuser_five_are_shown_and_the_rest_counted(owned: Owned) -> None:
    tables = ("label", "sample", "storage", "event", "document", "object", "container")
    address = owned.clone("".join(f"alter table col.{one} owner to super;" for one in tables))
    with pytest.raises(MigrationError) as refused:
        owned.upgrade(address, None)
    assert refused.value.hint.count("owner to") == 5
    assert refused.value.hint.endswith(" and so the other 2")
