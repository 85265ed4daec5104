"""What runs with the owner's rights stays without others, whatever the owner's code tries."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import errors

from collec_migrations.postgres import as_owner
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.conninfo import Address as Dsn
from tests.servers import Server

OWNER = "the 'owner\" of"
HOSTILE = """
set role "the 'owner"" of";
create schema col;
create table col.item (id integer primary key);
create table col.told (as_whom text, superuser boolean);
create function col.escape() returns boolean language plpgsql as $$
begin
    begin
        perform set_config('role', 'none', false);
    exception when others then null;
    end;
    begin
        reset session authorization;
    exception when others then null;
    end;
    insert into col.told select current_user, rolsuper from pg_roles where rolname = current_user;
    return true;
end
$$;
create function col.on_row() returns trigger language plpgsql as $$
begin
    perform col.escape();
    return null;
end
$$;
create trigger at_once after insert on col.item for each row execute procedure col.on_row();
create constraint trigger at_the_end after insert on col.item deferrable initially deferred
for each row execute procedure col.on_row();
create view col.looked_at as select id from col.item where col.escape();
reset role;
"""


@pytest.fixture
def connection(any_server: Server) -> Iterator[Connection]:
    """Give a superuser's session on a database whose owner's code tries to become a superuser."""
    quoted = '"the \'owner"" of"'
    with (
        any_server.database() as address,
        closing(database.connect(Dsn(address.dsn))) as session,
        session.cursor() as cursor,
    ):
        cursor.execute(f"create role {quoted}")
        cursor.execute(f'grant create, temp on database "{address.dbname}" to {quoted}')
        cursor.execute(HOSTILE)
        session.commit()
        yield session
        session.rollback()
        cursor.execute(f"reset role; drop owned by {quoted} cascade; drop role {quoted}")
        session.commit()


def told(connection: Connection) -> set[tuple[str, bool]]:
    """Return as whom the owner's code ran, and whether that is a superuser."""
    with connection.cursor() as cursor:
        cursor.execute("select as_whom, superuser from col.told")
        return set(cursor.fetchall())


def test_the_owners_code_gets_out_of_set_role(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute('set local role "the \'owner"" of"; insert into col.item values (1)')
    connection.commit()
    assert True in {superuser for _, superuser in told(connection)}


def test_triggers_have_the_owners_rights_even_deferred_ones(connection: Connection) -> None:
    with connection.cursor() as cursor:
        as_owner.execute(
            cursor,
            "create table col.more (id integer); insert into col.more values (7);"
            " insert into col.item select id from col.more",
            role=OWNER,
        )
        cursor.execute("select current_user = session_user")
        assert cursor.fetchone() == (True,)
    connection.commit()
    assert told(connection) == {(OWNER, False)}


def test_a_view_is_read_with_the_owners_rights(connection: Connection) -> None:
    with connection.cursor() as cursor:
        as_owner.execute(cursor, "insert into col.item values (1), (2)", role=OWNER)
        found = as_owner.rows(cursor, "select id from col.looked_at order by id", role=OWNER)
    connection.commit()
    assert found == [{"id": 1}, {"id": 2}]
    assert told(connection) == {(OWNER, False)}


def test_the_owner_replacing_our_function_gains_nothing(connection: Connection) -> None:
    replacing = """do $$ begin execute 'create or replace function
    pg_temp.collec_as_owner(script text) returns void language plpgsql security invoker as
    $f$ begin perform col.escape(); end $f$'; end $$"""
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error):  # in use, or used by a running statement
            as_owner.execute(cursor, f"{replacing}; select 1/0", role=OWNER)
        connection.rollback()
        as_owner.execute(cursor, "insert into col.item values (1)", role=OWNER)
    connection.commit()
    assert told(connection) == {(OWNER, False)}


def test_an_error_tells_its_place(connection: Connection) -> None:
    script = "select 1;\nselect nothing from col.item"
    with connection.cursor() as cursor, pytest.raises(errors.UndefinedColumn) as raised:
        as_owner.execute(cursor, script, role=OWNER)
    place = int(raised.value.diag.internal_position or 0)
    assert script[place - 1 :].startswith("nothing")


def test_a_superuser_who_took_on_the_role_before_is_shut_in_too(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute('set role "the \'owner"" of"')
        as_owner.execute(cursor, "insert into col.item values (1)", role=OWNER)
        cursor.execute("select current_user")
        assert cursor.fetchone() == (OWNER,)
    connection.commit()
    assert told(connection) == {(OWNER, False)}


def test_somebody_who_is_no_superuser_acts_as_the_owner(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            'create role member in role "the \'owner"" of"; set local session authorization member'
        )
        as_owner.execute(cursor, "create table col.plain as select 1 as id", role=OWNER)
        assert as_owner.rows(cursor, "select id from col.plain", role=OWNER) == [{"id": 1}]
        cursor.execute(
            "select current_user::text, tableowner::text from pg_tables where tablename = 'plain'"
        )
        assert cursor.fetchone() == ("member", OWNER)
