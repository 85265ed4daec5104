"""Names are bound wherever a real script has them, in the quoting of each place, or refused."""

import pytest
from hypothesis import assume, given, settings

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.names import Names
from collec_migrations.sql import bind, binder, quote
from tests import strategies

PLACES = {
    "table": "select * from {i}.a, {i}.b",
    "column": "select {i}.a.b, {i}.a.*, a.col from {i}.a",
    "insert": "insert into {i}.a (b) values (nextval('{q}.s'))",
    "create table": "create table {i}.a (b {i}.t references {i}.c (d) default {i}.f())",
    "type with a word": "create table {i}.a (b geography(Point, 4326))",
    "comment": "comment on column {i}.a.b is 'col.a, \"col\"'",
    "owned by": "alter sequence {i}.s owned by {i}.a.b",
    "opclass": "create index a on {i}.a using gin (b {i}.ops) where {i}.f(b)",
    "trigger": "create trigger t before insert on {i}.a for each row execute function {i}.f()",
    "schema": "create schema if not exists {i}",
    "two schemas": "drop schema if exists x, {i} cascade",
    "grant": "grant select on all tables in schema {i} to x",
    "alter schema": "alter schema {i} owner to x; comment on schema {i} is 'col'",
    "set schema": "alter table {i}.a set schema {i}",
    "extension": "create extension x with schema {i}",
    "path": "set search_path = public, {i}",
    "path to": "set local search_path to {i}, pg_catalog",
    "path in quotes": "set search_path = '{s}'",
    "path by a function": "select set_config('search_path', '{q}', true)",
    "path of a function": "create function f() returns int language sql set search_path = {i}, x "
    "return {i}.g()",
    "atomic": "create function f() returns int begin atomic select a from {i}.b; end",
    "regclass": "select '{q}.a'::regclass, to_regclass('{q}.a'), setval('{q}.s', 1)",
    "quoted in quotes": "select setval('{Q}.\"S\"', 1)",
    "escapes": "select E'{e}.\\x41'::regclass",
    "namespace": "select '{q}'::regnamespace, to_regnamespace('{q}')",
    "catalog": "select 1 from pg_class c, pg_namespace n where n.nspname = '{s}'",
    "catalog in": "select 1 from pg_tables where schemaname in ('x', '{s}')",
    "format": "do $$ begin execute format('{f}.%I', x); end $$",
    "format of parts": "do $$ begin execute format('table %I.%I', '{s}', 'x'); end $$",
    "body": "do $$ begin alter table {i}.a add b {i}.t; -- col.x\n end $$",
    "body in a body": "do $a$ begin execute $b$do $c$ begin perform {i}.f(); end $c$$b$; end $a$",
    "code of the application": "insert into {i}.aclappli (appli) values ('col')",
    "look-alikes": "select collection, 'protocol', collec.x, col_x from {i}.column_, collec",
    "accents": "select 'é', é from {i}.é where è = 'ñ' and 'ñ' = nextval('{q}.s')",
}
"""`{i}` an identifier, `{s}` a name in a literal, `{q}` an identifier in a literal, `{Q}` one that
had quotes already, `{f}` one in a format string, `{e}` one in an E'' literal."""

AWKWARD = ("lab_a", "order", "Lab A", 'la"b', "l'abo", "100%I", "a\\b", "a.b", "$b$", "a$$b", "é\n")


def written(template: str, name: str) -> str:
    """Return a statement with a name in the quoting of every place."""
    inside = quote(name).replace("'", "''")
    values = {
        "i": quote(name),
        "s": name.replace("'", "''"),
        "q": inside,
        "Q": '"' + name.replace('"', '""').replace("'", "''") + '"',
        "f": inside.replace("%", "%%"),
        "e": inside.replace("\\", "\\\\"),
    }
    for key, value in values.items():
        template = template.replace("{" + key + "}", value)
    return template


@pytest.mark.parametrize("place", PLACES)
def test_a_name_is_bound_in_the_quoting_of_its_place(place: str) -> None:
    for name in AWKWARD:
        if "$" in name and "$$" in PLACES[place] + "$b$":
            continue  # other dollar quotes: the next test
        assert bind(written(PLACES[place], "col"), {"col": name}) == written(PLACES[place], name)


@pytest.mark.parametrize(
    ("sql", "name", "bound"),
    [
        ("do $$ select col.f() $$", "a$$b", 'do $body0$ select "a$$b".f() $body0$'),
        ("do $a$ select $b$ drop table col.x $b$ $a$", "$b$",
         'do $a$ select $body0$ drop table "$b$".x $body0$ $a$'),
        ("do $$ select col.f() $$", "$$ $body0$", 'do $body1$ select "$$ $body0$".f() $body1$'),
        ('select * from COL.a, "col".b', "lab", 'select * from lab.a, "lab".b'),
        ('select"col".f(1)', "lab", 'select"lab".f(1)'),
    ],
)  # fmt: skip
def test_quotes_are_kept_apart_from_the_name(sql: str, name: str, bound: str) -> None:
    assert bind(sql, {"col": name}) == bound


def test_names_can_be_swapped() -> None:
    sql = "insert into col.a select * from gacl.b where nspname in ('gacl', 'col')"
    swapped = "insert into gacl.a select * from col.b where nspname in ('col', 'gacl')"
    assert bind(sql, {"col": "gacl", "gacl": "col"}) == swapped


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("select 'select * from col.a'", "'select * from col.a' holds the name of a schema"),
        ("insert into t values ('le col du flacon')", "'le col du flacon' holds the name"),
        ("insert into t values ('col')", "'col' holds the name of a schema"),
        ("do $$ begin execute 'drop table col.' || x; end $$", "'drop table col.' holds"),
        ("select set_config('search_path', 'col, public', false)", "'col, public' holds"),
        ("do $$ begin execute 'col.a and col.b'; end $$", "'col.a and col.b' holds"),
        ("select col.a from (select 1) as col", "col is the name of something else here"),
        ("alter table a add column col int", "col is the name of something else here"),
        ("alter table a owner to col", "col is the name of something else here"),
        ("do $$ declare col int; begin null; end $$", "col is the name of something else here"),
        ("select U&'col.x'", "is written with Unicode escapes"),
        ('select * from U&"col".x', "is written with Unicode escapes"),
        ("create function f() returns int language x as $$ col 'a $$", "a body that is not SQL"),
    ],
)
def test_a_name_that_cannot_be_bound_is_refused_with_file_and_line(sql: str, why: str) -> None:
    with pytest.raises(ScriptUnreadable) as caught:
        bind(f"select 1;\n-- é col\n{sql};", {"col": "lab"}, shown="a.sql")
    assert str(caught.value).startswith("a.sql:3: the names of schemas cannot be bound: ")
    assert why in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("select * from col.a", "select * from other.a"),
        ("select * from col.a", "select * from lab.b"),
        ("select * from col.a", "select * from lab.a limit 1"),
        ("select 1 from col.a", "select 2 from lab.a"),
        ("select * from col.a", "select * from lab.a; select 1"),
        ("select nextval('col.s')", "select nextval('lab.t')"),
        ("select nextval('col.s')", "select nextval('Lab.s')"),
        ("do $$ begin perform col.f(1); end $$", "do $$ begin perform lab.f(2); end $$"),
        ("do $$ begin perform col.f(1); end $$", "do $$ begin perform lab.f(); end $$"),
        ("do $$ begin perform 'col.s'; end $$", "do $$ begin perform 'lab.t'; end $$"),
    ],
)
def test_a_wrong_binding_is_not_proved(sql: str, wrong: str) -> None:
    with pytest.raises(binder.Unbound):
        binder.prove(sql, wrong, {"col": "lab"})


SCRIPT = """set search_path = col, public;
create table col.sample (uid int primary key, acl int references gacl.aclgroup (id));
comment on column col.sample.uid is 'col.sample, gacl';
insert into gacl.aclappli (appli) values ('col');
select setval('col.s', 1), to_regclass(E'gacl."t"'), 1 from pg_tables where schemaname = 'gacl';
create function col.f(a gacl.t) returns setof col.sample language plpgsql as $do$
begin
  execute format('col.%I', r);
  execute $q$ do $$ begin perform col.f(gacl.g()); end $$ $q$;
end $do$;
"""


@settings(max_examples=100, deadline=None)
@given(strategies.names())
def test_any_names_are_bound_and_back(names: Names) -> None:
    assume(not {"gacl", "col"} & {names.gacl, names.col})
    bound = bind(SCRIPT, names.by_default_name)
    pairs = names.by_default_name.items()
    binder.prove(SCRIPT, bound, names.by_default_name)
    places = [quote(new) for old, new in pairs if old in ("gacl", "col")]
    assert all(bound.count(f"{place}.") + bound.count(place) for place in places)
    left = [word for word in ("gacl.", "col.") if word in bound.replace("'col.sample, gacl'", "")]
    assume(not any("col." in name or "gacl." in name for name in (names.gacl, names.col)))
    assert left == []


def test_default_names_change_nothing() -> None:
    assert bind(SCRIPT, Names().by_default_name) is SCRIPT


def test_a_script_that_does_not_parse_is_refused_with_its_line() -> None:
    with pytest.raises(ScriptUnreadable, match="line 3: syntax error"):
        bind("select 1;\n\nselect from where col", {"col": "x"})
