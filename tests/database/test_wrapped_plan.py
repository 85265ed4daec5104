"""What the plan foretells of wrapped scripts is what happens: locks, extensions out of reach."""

from pathlib import Path

import pytest

from collec_migrations.errors import MigrationError
from collec_migrations.locks import Mode
from collec_migrations.migrate import verbs
from collec_migrations.migrate.planned import Plan
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain, wrapping
from tests.servers import Server

NAMES = Names.parse(gacl="Droits X", col="lab-A")
UNDER = chain.under(NAMES)
LOCKING = """
set search_path = col;
create table crate (crate_id serial primary key, project_id integer);
alter table sample add column crate_id integer;
alter table col.crate add foreign key (project_id) references project (project_id);
create index label_idx on label (label_name);
update gacl.aclgroup set groupe = upper(groupe);
create table held as
    select n.nspname || '.' || c.relname as name, l.mode
    from pg_locks l join pg_class c on c.oid = l.relation
    join pg_namespace n on n.oid = c.relnamespace
    where l.pid = pg_backend_pid() and c.relkind = 'r' and n.nspname !~ '^pg_|_archive$';
"""
OF_THE_RUN = (".alembic_version", ".migration_history", ".crate")


def foretold(plan: Plan) -> dict[str, Mode]:
    """Return the strongest lock on each table that the plan tells of."""
    found: dict[str, Mode] = {}
    scripts = (script for step in plan.pairs[0].steps for script in step.scripts)
    for statement in (one for script in scripts for one in script.statements):
        for lock in statement.effects.locks:
            name = str(lock.relation)
            found[name] = max(lock.mode, found.get(name, lock.mode))
    return found


def mode(text: object) -> Mode:
    return next(one for one in Mode if f"{one.name}LOCK".replace("_", "") == str(text).upper())


def test_the_locks_of_a_wrapped_script_are_those_of_the_plan(database: Address, site: Path) -> None:
    wrapping.wrapped({"col_alter_1.1-27.0.sql": LOCKING})
    chain.upgrade(database, "1.1", **UNDER)
    told = foretold(verbs.plan({"url": database.url, **UNDER}, "head", say=lambda _: None))
    chain.upgrade(database, **UNDER)
    held: dict[str, Mode] = {}
    for name, text in chain.query(database, 'select name, mode from "lab-A".held'):
        # To read a catalog takes the weakest lock.
        if not str(name).endswith(OF_THE_RUN) and mode(text) > Mode.ACCESS_SHARE:
            held[str(name)] = max(mode(text), held.get(str(name), mode(text)))
    assert {name: told.get(name) for name in held} == held
    assert told["lab-A.sample"] is Mode.ACCESS_EXCLUSIVE
    assert told["Droits X.aclgroup"] is Mode.ROW_EXCLUSIVE


def test_an_extension_that_only_a_superuser_may_make_is_told(
    database: Address, site: Path, server18: Server
) -> None:
    role = "maker of extensions"
    server18.create_role(role, "x")
    chain.execute(database, f'alter database "{database.dbname}" owner to "{role}"')
    url = server18.tcp_url(role.replace(" ", "%20"), "x", database.dbname)
    chain.upgrade_at(url, "1.1")
    # Into the first schema of the path, whose new objects get its owner: not these.
    script = "create extension pg_trgm;\ncreate extension dblink;"
    wrapping.wrapped({"upgrade-1.1-27.0.sql": script})
    plan = verbs.plan({"url": url}, "head", say=lambda _: None)
    assert [(one.message, one.hint) for one in plan.obstacles] == [
        (
            "extension 'dblink' is needed at collec-versions/upgrade-1.1-27.0.sql:2"
            " and this role may not make it",
            "Let a superuser run: create extension dblink; in this database.",
        )
    ]
    with pytest.raises(MigrationError, match="this role may not make it"):
        chain.upgrade_at(url)
    chain.execute(database, "create extension dblink")
    chain.upgrade_at(url)
    made = "select extname from pg_extension where extname in ('dblink', 'pg_trgm') order by 1"
    assert chain.query(database, made) == [("dblink",), ("pg_trgm",)]
