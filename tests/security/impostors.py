"""A database whose owner placed functions and operators where a superuser's queries find them."""

import re
from contextlib import closing
from pathlib import Path

import psycopg2

from collec_migrations.postgres.address import Address
from tests.chain import ROOT

PACKAGE = ROOT / "collec_migrations"
OPERATORS = ("=", "<>", "<", ">", "||", "~", "!~", "->", "->>", "@>", "&&", "+", "-")
KINDS = (
    *("text", "name", "oid", "integer", "bigint", "regclass", '"char"', "boolean", "varchar"),
    *("text[]", "name[]", "json"),
)
OPERANDS = KINDS[:9]
HOMES = ("public", "col")

# Called by a superuser an impostor leaves its name in a file; called by another it fails.
BETRAY = """
create function public.betray(name text) returns void language plpgsql as $betray$
begin
    execute pg_catalog.format(
        'copy (select %L::pg_catalog.text) to program %L', name, {program});
end
$betray$
"""
MAKE = """
set search_path = pg_catalog;
set check_function_bodies = off;
do $make$
declare
    home text;
    one record;
begin
    foreach home in array %(homes)s loop
        for one in
            select distinct p.proname as name, p.prorettype::regtype::text as returned,
                   p.proretset, kinds.arguments
            from pg_proc p
            cross join lateral (
                select pg_get_function_identity_arguments(p.oid) as arguments
                union all
                select kind from unnest(%(kinds)s) kind where p.pronargs = 1
                union all
                select kind || ', ' || format_type(p.proargtypes[1], null)
                from unnest(%(kinds)s) kind where p.pronargs = 2
            ) kinds
            where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = any (%(functions)s)
        loop
            begin
                execute format(
                    'create function %%I.%%I(%%s) returns %%s%%s language plpgsql as %%L',
                    home, one.name, one.arguments,
                    case when one.proretset then 'setof ' else '' end, one.returned,
                    format('begin perform public.betray(%%L); return%%s; end',
                           format('%%s.%%s(%%s)', home, one.name, one.arguments),
                           case when one.proretset then '' else ' null' end));
            exception when others then
                null;  -- a pseudo-type, or there already
            end;
        end loop;
        for one in
            select name, l.kind as l, r.kind as r
            from unnest(%(operators)s) name, unnest(%(operands)s) l (kind),
                 unnest(%(operands)s) r (kind)
        loop
            execute format(
                'create function %%I.%%I(%%s, %%s) returns %%s language plpgsql as %%L',
                home, 'operate ' || one.name, one.l, one.r,
                case when one.name in ('||', '->', '->>', '+', '-') then 'text' else 'boolean' end,
                format('begin perform public.betray(%%L); return null; end',
                       format('%%s: %%s %%s %%s', home, one.l, one.name, one.r)));
            execute format('create operator %%I.%%s (procedure = %%I.%%I, leftarg = %%s,'
                           ' rightarg = %%s)', home, one.name, home, 'operate ' || one.name,
                           one.l, one.r);
        end loop;
    end loop;
end
$make$;
"""


OWNER = "impostor_owner"
GIVE = f"""
do $give$
declare
    one record;
begin
    if not exists (select from pg_roles where rolname = '{OWNER}') then
        create role {OWNER};
    end if;
    for one in
        select c.oid::regclass as name,
               case c.relkind when 'S' then 'sequence' else 'table' end as kind
        from pg_class c
        where c.relnamespace in ('gacl'::regnamespace, 'col'::regnamespace)
          and c.relkind in ('r', 'v', 'S')
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'a')
    loop
        execute format('alter %s %s owner to {OWNER}', one.kind, one.name);
    end loop;
end
$give$;
alter schema gacl owner to {OWNER};
alter schema col owner to {OWNER};
grant create on schema public to {OWNER};
"""
"""The application's account, which is no superuser, owns what it may write into."""


def functions() -> list[str]:
    """Return every word of the package that stands where a function's name could stand."""
    files = [*PACKAGE.rglob("*.sql"), *PACKAGE.rglob("*.py")]
    return sorted({word for one in files for word in re.findall(r"\b(\w+)\(", one.read_text())})


def place(address: Address, called: Path) -> None:
    """Fill a database with impostors, which write their names into a file."""
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("create schema if not exists gacl; create schema if not exists col")
        cursor.execute(GIVE)
        cursor.execute(f"set role {OWNER}")
        cursor.execute(BETRAY.format(program=f"$$cat >> {called}$$"))
        # MAKE is a DO block, which takes no parameters: the driver writes them as literals.
        cursor.execute(
            MAKE,
            {
                "homes": list(HOMES),
                "kinds": list(KINDS),
                "functions": functions(),
                "operands": list(OPERANDS),
                "operators": list(OPERATORS),
            },
        )
        connection.commit()


def divert(address: Address) -> None:
    """Set the search path of a database, for everybody and for this role, as its owner may."""
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        dbname = f'database "{address.dbname}"'
        cursor.execute("set search_path = pg_catalog")
        for whose in (dbname, f"role current_user in {dbname}"):
            cursor.execute(f"alter {whose} set search_path = public, gacl, col, pg_catalog")
        connection.commit()
