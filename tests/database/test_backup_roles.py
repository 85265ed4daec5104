"""Roles of a backup: all that a dump names are known, and none gets more than it had."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collec_migrations.backup import restoration, roles, store, trial_restore
from collec_migrations.backup.restoration import RestoreOptions
from collec_migrations.backup.store import GLOBALS
from collec_migrations.errors import RestoreRefused
from collec_migrations.postgres import binaries, conninfo
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.throwaway import QUICK, quick_folder, throwaway
from tests import backups, chain
from tests.servers import SUPERUSER, Server

EVERY_KIND = f"""
create schema s;
alter default privileges for role {SUPERUSER} in schema s grant select on tables to auditor;
create type s.mood as enum ('ok');
create domain s.positive as int check (value > 0);
create collation s.plain from "C";
create publication every_table for all tables;
create table s.t (id int, who text);
create policy own on s.t to keeper using (who = current_user);
alter table s.t owner to keeper;
alter type s.mood owner to keeper;
select lo_create(4711);
grant select on large object 4711 to auditor;
"""
MADE = """
create role keeper login password 'secret' connection limit 7;
create role readers nologin;
create role auditor login in role readers;
alter role auditor set search_path to s, public;
alter role auditor set log_statement to 'all';
create role boss superuser login;
alter role keeper set application_name to
    E'x\\nCREATE ROLE evil SUPERUSER;\\nALTER ROLE auditor SUPERUSER;';
"""
NAMES = ("keeper", "readers", "auditor", "boss")


@pytest.fixture
def site(server18: Server, database: Address) -> Iterator[Address]:
    """Give a database with objects of every kind, of the superuser and of others."""
    chain.execute(database, MADE)
    try:
        chain.execute(database, EVERY_KIND)
        yield database
    finally:
        chain.execute(database, "drop publication if exists every_table; select lo_unlink(4711)")
        chain.execute(database, "drop owned by keeper, auditor, readers, boss cascade")
        chain.execute(database, f"drop owned by {', '.join(NAMES)}; drop role {', '.join(NAMES)}")


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Address]:
    """Give a server whose superuser has another name."""
    with throwaway(
        binaries.embedded(), folder=quick_folder(), settings=QUICK, superuser="chief"
    ) as made:
        yield made


def test_whatever_the_superuser_owns_a_trial_knows_it(site: Address, tmp_path: Path) -> None:
    taken = backups.taken(site, tmp_path)
    assert trial_restore.verify(taken).problems == ()


def test_roles_come_back_as_they_were_but_for_privileges(
    site: Address, elsewhere: Address, tmp_path: Path
) -> None:
    taken = backups.taken(site, tmp_path)
    order = RestoreOptions(target=conninfo.Address(elsewhere.dsn), renamed={})
    with pytest.raises(RestoreRefused) as raised:
        restoration.restore(taken, order, say=lambda _: None)
    for name in ("keeper", "auditor", SUPERUSER):
        assert name in str(raised.value)
    said: list[str] = []
    restoration.restore(taken, replace(order, create_roles=True), say=said.append)
    found = {
        str(name): row
        for name, *row in chain.query(
            elsewhere,
            "select a.rolname, a.rolsuper, a.rolcanlogin, a.rolconnlimit, r.rolconfig::text,"
            " a.rolpassword from pg_authid a join pg_roles r on r.oid = a.oid"
            " where a.rolname !~ '^pg_'",
        )
    }
    assert "evil" not in found
    assert {name for name, row in found.items() if row[0]} == {"chief"}
    assert found["keeper"][1:3] == [True, 7]
    assert str(found["keeper"][4]).startswith("SCRAM-SHA-256$")
    assert "search_path=s, public" in str(found["auditor"][3])
    assert "log_statement" not in str(found["auditor"][3]), "only a superuser sets that"
    assert any("log_statement" in line for line in said)
    assert f"role {SUPERUSER!r} was superuser, which no backup brings back" in said
    members = "select pg_has_role('auditor', 'readers', 'member')"
    assert chain.query(elsewhere, members) == [(True,)]


def test_memberships_come_back_among_the_roles_that_are_made() -> None:
    text = (
        "CREATE ROLE a;\nALTER ROLE a WITH NOSUPERUSER LOGIN;\nCREATE ROLE b;\n"
        "GRANT b TO a WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres;\n"
        "GRANT pg_execute_server_program TO a;\n"
    )
    found = roles.parse(text)
    assert found["a"].member_of == [("b", True), ("pg_execute_server_program", False)]


def test_a_line_of_a_text_is_no_statement(site: Address, tmp_path: Path) -> None:
    taken = backups.taken(site, tmp_path)
    text = (taken.path / GLOBALS).read_text()
    assert "\nCREATE ROLE evil SUPERUSER;" in text, "the trap is there"
    assert "evil" not in roles.read(taken)
    assert not roles.read(taken)["auditor"].attributes["superuser"]


def test_a_line_of_a_body_is_no_entry_of_the_archive(
    server18: Server, site: Address, elsewhere: Address, tmp_path: Path
) -> None:
    """`--schema` takes entries of the table of contents: a body's line grants nothing."""
    chain.execute(
        site,
        "create function s.f() returns int language plpgsql as $$ begin return 1; end /*\n"
        "GRANT CREATE ON SCHEMA s TO public;\nALTER SCHEMA s OWNER TO evil */ $$;\n"
        "grant usage on schema s to auditor",
    )
    taken = store.load(backups.taken(site, tmp_path).path)
    with throwaway(
        binaries.embedded(), folder=quick_folder(), settings=QUICK, superuser="chief"
    ) as made:
        order = RestoreOptions(
            target=conninfo.Address(made.dsn), schemas=("s",), renamed={}, create_roles=True
        )
        restoration.restore(taken, order, say=lambda _: None)
        (acl,) = chain.query(made, "select nspacl::text from pg_namespace where nspname = 's'")[0]
    assert "auditor=U" in str(acl)
    assert "=C" not in str(acl).replace("=UC", ""), "nobody else was given CREATE"
