"""A backup that somebody else made is tried without rights of a superuser."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.backup import manifest, restoration, store, trial_restore
from collec_migrations.backup.restoration import RestoreOptions
from collec_migrations.errors import NotABackup, RestoreRefused
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.address import Address
from tests import backups, chain, commands
from tests.servers import Server

# What a check does while its table is filled: it runs as whoever restores.
HOSTILE = """
create role evil_owner;
create schema evil authorization evil_owner;
create function evil.tell() returns boolean language plpgsql as $tell$
declare
    one text;
begin
    if current_database() <> 'restored' then
        return true;
    end if;
    for one in select rolname from pg_roles where rolsuper or rolname ~ '^pg_' loop
        begin
            perform set_config('role', one, false);
            exit;
        exception when others then null;
        end;
    end loop;
    begin
        reset session authorization;
        copy (select 1) to program 'cat >> {called}';
    exception when others then null;
    end;
    begin
        perform set_config('role', 'none', false);
    exception when others then null;
    end;
    return true;
end
$tell$;
create table evil.filled (id integer check (evil.tell()));
insert into evil.filled values (1);
alter table evil.filled owner to evil_owner;
create index expressed on evil.filled ((evil.tell_once(id)));
grant pg_execute_server_program to evil_owner;
"""
IMMUTABLE = """
create function evil.tell_once(integer) returns boolean immutable language plpgsql as
'begin return evil.tell(); end';
"""


def test_what_an_archive_runs_is_no_superuser(
    server18: Server, called: Path, tmp_path: Path
) -> None:
    hostile = HOSTILE.format(called=called).replace("create table", f"{IMMUTABLE}create table", 1)
    with server18.database(chain.template_at(server18, "1.0.8")) as address:
        chain.execute(address, hostile)
        try:
            found = trial_restore.verify(backups.taken(address, tmp_path))
        finally:
            chain.execute(address, "drop schema evil cascade; drop role evil_owner")
    assert found.is_sound, found.problems
    assert not called.exists()


def test_owners_and_rights_come_back(server18: Server, tmp_path: Path) -> None:
    rights = """
        select n.nspname::text, c.relname::text, pg_get_userbyid(c.relowner)::text,
               array(select a::text from unnest(c.relacl) a order by 1)
        from pg_namespace n join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'v')
        where n.nspname in ('gacl', 'col', 'other')
        union all
        select n.nspname, '', pg_get_userbyid(n.nspowner)::text,
               array(select a::text from unnest(n.nspacl) a order by 1)
        from pg_namespace n where n.nspname in ('gacl', 'col', 'other', 'ext', 'public')
        order by 1, 2"""
    with server18.database(chain.template_at(server18, "1.0.8")) as address:
        chain.execute(
            address,
            "create role keeper; create role looks_on; create schema other authorization keeper;"
            " create schema ext authorization keeper; grant usage on schema ext to public;"
            " create extension pg_trgm schema ext; comment on extension pg_trgm is 'ours';"
            " create table other.thing (id integer, t text);"
            " alter table other.thing owner to looks_on;"
            " create index on other.thing using gin (t ext.gin_trgm_ops);"
            " grant usage on schema other to looks_on;"
            " grant usage on schema col to looks_on; grant select on col.sample to looks_on;"
            " alter table col.sample owner to keeper; alter schema gacl owner to keeper",
        )
        try:
            backup = backups.taken(address, tmp_path)
            chosen = trial_restore.server_for(backup.manifest, 18)
            with trial_restore.restored(backup, chosen, None) as (copy, left_out):
                assert _named(copy, rights) == _named(address, rights)
                assert left_out == ()
        finally:
            chain.execute(
                address, "drop owned by keeper, looks_on cascade; drop role keeper, looks_on"
            )


def _named(address: Address, query: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        # Without rights of its own, an object has those of its owner: written out or not.
        return [
            (*row[:3], [one for one in row[3] if not one.startswith(f"{row[2]}=")])
            for row in cursor.fetchall()
        ]


def test_a_role_of_the_trials_superusers_name_is_none(server18: Server, tmp_path: Path) -> None:
    with server18.database() as address:
        chain.execute(
            address,
            "create role throwaway; create table t (); alter table t owner to throwaway",
        )
        try:
            assert trial_restore.verify(backups.taken(address, tmp_path)).is_sound
        finally:
            chain.execute(address, "drop table t; drop role throwaway")


def test_what_needs_a_superuser_and_holds_no_row_is_told(server18: Server, tmp_path: Path) -> None:
    with server18.database() as address:
        chain.execute(
            address,
            "create function public.seen() returns event_trigger language plpgsql as"
            " 'begin end'; create event trigger seen on ddl_command_end"
            " execute function public.seen(); create publication every for all tables",
        )
        found = trial_restore.verify(backups.taken(address, tmp_path))
    assert found.is_sound
    assert [one.rsplit(" ", 1)[0] for one in found.left_out] == [
        "PUBLICATION - every",
        "EVENT TRIGGER - seen",
    ]


def test_a_rehearsal_tells_what_its_copy_lacks(server18: Server, tmp_path: Path) -> None:
    with server18.database(chain.template_at(server18, "26.1")) as address:
        chain.execute(address, "create publication every for all tables")
        backups.taken(address, tmp_path)
    words = ("rehearse", "--from", "last", "--into", str(tmp_path))
    done = commands.invoke(*words)
    assert done.exit_code == 0, done.output
    said = "not copied, only a superuser may restore it:\n    PUBLICATION - every"
    assert said in done.stdout
    assert "PUBLICATION - every" in commands.invoke(*words, "--json").stdout


def test_what_else_needs_a_superuser_is_refused(server18: Server, tmp_path: Path) -> None:
    with server18.database() as address:
        chain.execute(
            address,
            "create function public.low(cstring) returns text language internal as 'textin'",
        )
        backup = backups.taken(address, tmp_path)
        with pytest.raises(RestoreRefused, match="may not restore") as refused:
            trial_restore.verify(backup)
    assert "permission denied for language internal" in refused.value.hint
    assert store.load(backup.path).verdict == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": [["", "temp_tablespaces=''; create role evil superuser"]]},
        {
            "grants": [
                ["", "connect on database x to public; create role evil superuser; --", False]
            ]
        },
    ],
    ids=["settings", "grants"],
)
def test_the_databases_properties_are_no_statements(
    server18: Server, tmp_path: Path, changes: dict[str, object]
) -> None:
    """Restored by a superuser: database.json is text that somebody wrote."""
    with server18.database() as address, server18.database() as target:
        taken = backups.taken(address, tmp_path)
        told = taken.path / store.DATABASE
        told.write_text(json.dumps({**json.loads(told.read_text()), **changes}))
        (taken.path / manifest.NAME).unlink()
        manifest.write(taken.path, replace(taken.manifest, files=manifest.describe(taken.path)))
        try:
            restoration.restore(
                store.load(taken.path),
                RestoreOptions(target=conninfo.Address(target.dsn), renamed={}),
                say=print,
            )
        except NotABackup as error:
            assert "no right on a database" in str(error)  # noqa: PT017
        assert chain.query(target, "select 1 from pg_roles where rolname = 'evil'") == []
