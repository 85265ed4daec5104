"""Alembic's table and ours run nobody's code, whatever the schemas' owner makes of them."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from collec_migrations.postgres.address import Address
from tests import chain, commands
from tests.servers import Server

BETRAY = """
create role betrayer;
create table public.told (as_whom text, superuser boolean);
grant all on public.told to public;
create function public.tell() returns boolean language plpgsql as $$
begin
    insert into public.told
    select current_user, rolsuper from pg_roles where rolname = current_user;
    return true;
end
$$;
create function public.on_row() returns trigger language plpgsql as $$
begin
    perform public.tell();
    return new;
end
$$;
"""
GIVE = """
alter table col.alembic_version owner to betrayer;
alter table col.migration_history owner to betrayer;
alter table gacl.migration_history owner to betrayer;
grant usage on schema col, gacl, public to betrayer;
"""
VERSION_TABLES = {
    "view": "alter table col.alembic_version rename to kept;"
    " create view col.alembic_version as select version_num from col.kept where public.tell()",
    "trigger": "create trigger betrays before update or insert or delete on col.alembic_version"
    " for each row execute procedure public.on_row()",
    "rule": "create rule betrays as on update to col.alembic_version do also select public.tell()",
    "check": "alter table col.alembic_version add check (public.tell())",
    "cast": "create type col.kind as enum ('x');"
    " create function col.as_json(col.kind) returns json language sql as"
    " $$ select public.tell(); select null::json $$;"
    " create cast (col.kind as json) with function col.as_json(col.kind);"
    " alter table col.alembic_version add column own col.kind; "
    " update col.alembic_version set own = 'x'",
}


@pytest.fixture
def old(server18: Server) -> Iterator[Address]:
    """Give a database of 1.0.6 whose owner waits."""
    with server18.database(chain.template_at(server18, "1.0.6")) as address:
        chain.execute(address, BETRAY)
        yield address
        chain.execute(address, "drop owned by betrayer cascade; drop role betrayer")


def told(address: Address) -> set[bool]:
    """Return whether the owner's code ran, and whether as a superuser."""
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select superuser from public.told")
        return {superuser for (superuser,) in cursor.fetchall()}


READING = ("detect", "verify", "history", "upgrade --plan", "doctor", "adopt --yes")


@pytest.mark.parametrize(
    ("words", "trap"),
    [
        *((words, "view") for words in READING),
        *(("upgrade 1.0.8 --yes", trap) for trap in VERSION_TABLES),
        *(("verify", "cast"), ("doctor", "cast")),
    ],
)
def test_alembics_table_is_read_and_written_only_if_it_is_plain(
    old: Address, trap: str, words: str
) -> None:
    chain.execute(old, GIVE)
    chain.execute(old, VERSION_TABLES[trap])
    chain.execute(old, "delete from public.told")
    done = commands.invoke(*words.split(), "--url", old.url)
    assert not told(old), done.output
    assert "Traceback" not in done.output
    if words.startswith("upgrade 1"):
        assert done.exit_code == 3
        assert "plain table" in done.stderr


def test_the_history_is_written_with_its_owners_rights(old: Address) -> None:
    chain.execute(
        old,
        "create trigger betrays before insert on col.migration_history"
        " for each row execute procedure public.on_row();"
        " alter table col.migration_history alter note set default public.tell()::text",
    )
    chain.execute(old, GIVE)
    done = commands.invoke("upgrade", "1.0.8", "--yes", "--url", old.url)
    assert done.exit_code == 0, done.output
    assert told(old) == {False}


OWNED = """
do $$
declare
    one text;
begin
    for one in select format('alter table %I.%I owner to betrayer', schemaname, tablename)
               from pg_tables where schemaname in ('gacl', 'col')
    loop
        execute one;
    end loop;
end
$$;
-- What the repair sets off: rows of both, a key's check, a column whose type is changed back.
create trigger betrays before insert on col.dbversion
    for each row execute procedure public.on_row();
delete from col.dbversion;
alter table col.label add check (public.tell());
alter table col.label alter label_name type text;
alter table col.dbversion alter dbversion_date set default case when public.tell() then now() end;
alter table col.label drop constraint label_pk cascade;
"""


@pytest.mark.parametrize("words", ["adopt --yes", "adopt --plan --details"])
def test_a_repair_works_with_the_owners_rights(old: Address, words: str) -> None:
    chain.upgrade(old, "1.1")
    chain.execute(old, OWNED)
    chain.execute(old, "delete from public.told")
    done = commands.invoke(*words.split(), "--url", old.url)
    if "yes" not in words:
        assert done.exit_code == 0, done.output
        assert told(old) == set(), "it was rolled back"
        return
    assert done.exit_code == 0, done.output
    assert told(old) == {False}
    query = "select has_schema_privilege('betrayer', n.oid, 'create') from pg_namespace n"
    assert chain.query(old, f"{query} where nspname = 'col'") == [(False,)]
    owners = "select distinct tableowner from pg_tables where schemaname in ('gacl', 'col')"
    assert chain.query(old, owners) == [("betrayer",)]
    done = commands.invoke("verify", "--url", old.url)
    assert done.exit_code == 0, done.output
