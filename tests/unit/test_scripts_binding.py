"""Names are bound wherever they hide, in the quoting of each place, and nowhere else."""

import pytest

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.scripts import bind, doubts

AWKWARD = {
    "plain": "lab_a",
    "reserved": "order",
    "keyword": "user",
    "capitals": "Lab",
    "space": "Droits du labo",
    "double quote": 'la"b',
    "single quote": "l'abo",
    "both quotes": "'\"'",
    "percent": "100%I",
    "percents": "%%s%",
    "backslash": "a\\b\\",
    "colon": "a:b::c",
    "accents": "qualité",
    "dollar": "a$b",
    "dot": "a.b",
    "comma": "a, b",
    "semicolon": "a;--b",
    "comment": "/*",
    "newline": "a\nb",
    "emoji": "🧪",
    "digit": "1col",
    "longest": "é" * 31 + "x",
    "swapped": "gacl",
}

PLACES = {
    "table": "select * from {i}.sample",
    "table with database": "select * from db.{i}.sample",
    "column with table and schema": "select {i}.sample.uid from {i}.sample",
    "whole row": "select {i}.sample.* from {i}.sample",
    "column alias of the same name": "select 1 as col from {i}.sample col where col.uid = col.col",
    "insert": "insert into {i}.sample (col) values (1) on conflict (col) do update set col = 2",
    "insert returning": "insert into {i}.sample as col values (1) returning col.uid",
    "update": "update {i}.sample set col.x = 1, col = 2 from {i}.b",
    "delete": "delete from {i}.sample using {i}.b",
    "merge": "merge into {i}.a using {i}.b on true when matched then delete",
    "truncate": "truncate {i}.a, {i}.b",
    "lock": "lock table {i}.a in share mode",
    "copy": "copy {i}.a to stdout",
    "with": "with col as (select * from {i}.a) select col.x from col",
    "create table": "create table {i}.a (col int primary key, b int references {i}.b (col))",
    "create table as": "create table {i}.a as select * from {i}.b",
    "create table like": "create table {i}.a (like {i}.b including all)",
    "inherits": "create table {i}.a () inherits ({i}.b)",
    "partition": "create table {i}.a partition of {i}.b for values in ('col')",
    "attach": "alter table {i}.a attach partition {i}.b default",
    "exclude": "create table {i}.a (b int, exclude using gist (b {i}.ops with operator({i}.=)))",
    "identity": "create table a (b int generated always as identity (sequence name {i}.s))",
    "foreign key": "alter table {i}.a add constraint col foreign key (x) references {i}.b (y)",
    "alter type": "alter table {i}.a alter b type {i}.t collate {i}.c using {i}.f(b)::{i}.t",
    "default": "alter table a alter b set default nextval('{q}.s'::regclass)",
    "check": "alter table a add check ({i}.f(b) > 0)",
    "drop column": "alter table {i}.a drop column col",
    "set schema": "alter table {i}.a set schema {i}",
    "rename": "alter table {i}.col rename to col",
    "index": "create index col on {i}.a using gin (b {i}.ops, (col) collate {i}.c) where {i}.f(x)",
    "view": "create or replace view {i}.v as select a.b from {i}.a union select 1 from {i}.c",
    "materialized view": "create materialized view {i}.v as select * from {i}.a",
    "refresh": "refresh materialized view {i}.v",
    "sequence": "create sequence {i}.s owned by {i}.t.c",
    "alter sequence": "alter sequence {i}.s owned by {i}.t.col",
    "owned by unqualified": "alter sequence {i}.s owned by col.c",
    "trigger": "create trigger t before insert on {i}.a for each row execute procedure {i}.f()",
    "rule": "create rule r as on insert to {i}.a do instead update {i}.b set c = 1",
    "policy": "create policy col on {i}.a using ({i}.f(col))",
    "enum": "create type {i}.e as enum ('col', 'b')",
    "alter enum": "alter type {i}.e add value 'col'",
    "domain": "create domain {i}.d as {i}.t check ({i}.f(value))",
    "composite": "create type {i}.c as (col {i}.t, b int)",
    "range": "create type {i}.r as range (subtype = {i}.t, subtype_opclass = {i}.o)",
    "cast": "create cast ({i}.a as {i}.b) with function {i}.f({i}.a)",
    "operator": "create operator {i}.+ (procedure = {i}.f, leftarg = {i}.t, "
    "commutator = operator({i}.+))",
    "operator used": "select a operator({i}.+) b, operator({i}.-) c from d order by e using "
    "operator({i}.<)",
    "operator any": "select a operator({i}.=) any (select 1)",
    "operator class": "create operator class {i}.o for type {i}.t using btree family {i}.f as "
    "operator 1 {i}.<, function 1 {i}.g({i}.t, {i}.t)",
    "drop operator class": "drop operator class {i}.o using btree",
    "aggregate": "create aggregate {i}.a ({i}.t) (sfunc = {i}.f, stype = {i}.t, "
    "sortop = operator({i}.<))",
    "collation": 'create collation {i}.c from {i}."C"',
    "collate": "select a collate {i}.c from b",
    "text search": "create text search configuration {i}.c (copy = {i}.d)",
    "text search mapping": "alter text search configuration {i}.c alter mapping for a with {i}.d",
    "statistics": "create statistics {i}.s on a, col from {i}.t",
    "tablesample": "select * from {i}.a tablesample {i}.m(1)",
    "function": "create function {i}.f(col {i}.t, b {i}.a.b%type default {i}.g()) returns "
    "setof {i}.t language c as 'col', 'col'",
    "function path": "create function f() returns int set search_path = {i}, public "
    "language sql return {i}.g()",
    "function atomic": "create function f() returns int language sql begin atomic "
    "select a from {i}.b; end",
    "call": "call {i}.p(col => 1)",
    "call in from": "select * from {i}.f(1) as col(a {i}.t)",
    "drop function": "drop function {i}.f({i}.t), {i}.g()",
    "drop table": "drop table if exists {i}.a, {i}.b cascade",
    "drop trigger": "drop trigger col on {i}.a",
    "drop type": "drop type {i}.t",
    "comment on table": "comment on table {i}.col is 'col.col, see \"col\"'",
    "comment on column": "comment on column {i}.a.col is 'col'",
    "comment on column of a table in the path": "comment on column col.uid is 'x'; table {i}.a",
    "comment on constraint": "comment on constraint col on {i}.a is 'x'",
    "comment on function": "comment on function {i}.f({i}.t) is null",
    "comment on domain": "comment on domain {i}.d is 'x'",
    "comment on index": "comment on index {i}.i is 'x'",
    "owner": "alter table {i}.a owner to someone",
    "owner of function": "alter function {i}.f(int) owner to someone",
    "create schema": "create schema if not exists {i}",
    "create schema with objects": "create schema {i} create table {i}.a (b int)",
    "alter schema": "alter schema {i} owner to someone",
    "rename schema": "alter schema {i} rename to other",
    "drop schema": "drop schema if exists {i}, public cascade",
    "comment on schema": "comment on schema {i} is 'col'",
    "grant on schema": "grant usage on schema {i}, public to col",
    "grant on table": "grant select (col) on {i}.a to someone",
    "grant on all": "grant select on all tables in schema {i} to someone",
    "revoke": "revoke all on function {i}.f({i}.t) from public",
    "default privileges": "alter default privileges in schema {i} grant select on tables to x",
    "extension": "create extension pg_trgm schema {i}",
    "alter extension": "alter extension pg_trgm set schema {i}",
    "publication": "create publication p for tables in schema {i}",
    "import foreign schema": "import foreign schema col from server s into {i}",
    "reindex": "reindex schema {i}",
    "path to": "set search_path to {i}, public",
    "path equals": "set local search_path={i},pg_catalog",
    "path in quotes": "set search_path = '{s}', 'public'",
    "path of session": "set session schema '{s}'",
    "path of role": "alter role someone set search_path = {i}",
    "path of database": "alter database d set search_path = '{s}'",
    "path in one string": "set search_path = '{q}, public'",
    "path by function": "select set_config('search_path', '{q}, public', false)",
    "explain": "explain select * from {i}.a",
    "prepare": "prepare p as select * from {i}.a",
    "cursor": "declare c cursor for select * from {i}.a",
    "do nothing": "create table x (y int); select * from {i}.x",
    # literals
    "nextval": "select nextval('{q}.s'), setval('{q}.\"S\"', 1), currval('{q}.s')",
    "regclass": "select '{q}.a'::regclass, cast('{q}.b' as regclass), regclass '{q}.c'",
    "regclass of pg_catalog": "select '{q}.a'::pg_catalog.regclass",
    "regclass of a text": "select '{q}.a'::text::regclass",
    "regtype": "select '{q}.t'::regtype, '{q}.t[]'::regtype, to_regtype('{q}.t')",
    "regprocedure": "select '{q}.f({q}.t, int)'::regprocedure, '{q}.f'::regproc",
    "regoperator": "select '{q}.+({q}.t, {q}.t)'::regoperator, '{q}.+'::regoper",
    "regnamespace": "select '{q}'::regnamespace, to_regnamespace('{q}')",
    "to_regclass": "select to_regclass('{q}.a')",
    "serial": "select pg_get_serial_sequence('{q}.a', 'col')",
    "size": "select pg_relation_size('{q}.a'), pg_total_relation_size('{q}.a', 'main')",
    "privilege on schema": "select has_schema_privilege('{s}', 'usage'), "
    "has_schema_privilege('someone', '{s}', 'usage')",
    "privilege on table": "select has_table_privilege('col', '{q}.a', 'select')",
    "privilege on column": "select has_column_privilege('{q}.a', 'col', 'select')",
    "geometry": "select addgeometrycolumn('{s}', 'a', 'geom', 4326, 'POINT', 2)",
    "compared": "select 1 from pg_tables t where t.schemaname = '{s}' and tablename = 'col'",
    "compared from the left": "select 1 from pg_namespace where '{s}' = nspname",
    "compared unequal": "select 1 from pg_namespace where nspname <> '{s}' or nspname != '{s}'",
    "compared with a cast": "select 1 from t where table_schema::text = '{s}'::name",
    "compared in a list": "select 1 from t where table_schema in ('{s}', 'public')",
    "compared with an array": "select 1 from t where schemaname = any (array['{s}', 'public'])",
    "compared as a row": "select 1 from t where (table_schema, table_name) = ('{s}', 'col')",
    "compared in rows": "select 1 from t where (table_schema, x) in (('{s}', 'col'), ('a', 'b'))",
    "compared as distinct": "select 1 from t where table_schema is distinct from '{s}'",
    "compared in case": "select case table_schema when '{s}' then 'a' else 'b' end from t",
    "current schema": "select 1 where current_schema() = '{s}' or current_schema = '{s}'",
    "in the path": "select 1 where '{s}' = any (current_schemas(true))",
    "two constants in one": "select 1 from t where table_schema = '{s}' and x = 'a'\n  'b'",
    # bodies
    "sql body": "create function f() returns int as $$ select a from {i}.a $$ language sql",
    "sql body in quotes": "create function f() returns int as 'select ''x'' from {q}.a' "
    "language 'SQL'",
    "sql body of several": "create function f() returns int as $b$ insert into {i}.a values "
    "('col'); -- col.x\n select nextval('{q}.s') $b$ language sql",
    "do": "do $$ begin alter table {i}.a add b {i}.t; end $$",
    "do in quotes": "do 'begin perform 1 from {q}.a; end'",
    "do in do": "do $a$ begin execute $b$do $c$ begin perform {i}.f(); end $c$$b$; end $a$",
    "declarations": """do $$ declare a {i}.t; b {i}.t%rowtype; c {i}.t.x%type; d {i}.t[] := {i}.f();
        e constant text collate {i}.c not null default {i}.g('{q}.x'::regclass);
        f cursor (x {i}.t, y int) for select * from {i}.t where z = x; col int;
        begin null; end $$""",
    "statements": """create function f(a int, out b text) returns setof record as $$
        #variable_conflict use_column
        <<lab>> declare r record; n int; col record;
        begin
          n := {i}.f(1); n = {i}.f(2); r.x := {i}.g(3); col.x := 4; n := col.y;
          r.y[{i}.f(1)][{i}.g(2):{i}.h(3)].z := 5;
          select x, y into strict n, r.x from {i}.t where col = 1;
          select x into col.y from {i}.t; insert into {i}.t values (1) returning id into col.id;
          if {i}.f() then null; elsif exists (select 1 from {i}.t) then null; else null; end if;
          case {i}.f() when 1, {i}.g() then null; else null; end case;
          case when {i}.f() > 1 then n := case when {i}.f() then 1 end; end case;
          while {i}.f() loop exit lab when {i}.g(); continue when {i}.h(); end loop;
          for r in select * from {i}.t loop perform {i}.f(r.x), 2 from {i}.u; end loop;
          for n in reverse {i}.f() .. {i}.g() by {i}.h() loop null; end loop;
          for r in execute 'select * from {q}.t' using {i}.f() loop null; end loop;
          foreach n in array {i}.a() loop null; end loop;
          return next; return query select * from {i}.t; return query execute 'table {q}.t';
          open c for select * from {i}.t; open d(x := {i}.f()); open e for execute 'table {q}.t';
          fetch c into n; close c; get diagnostics n = row_count;
          raise notice 'col.x is %', {i}.f() using hint = {i}.g();
          assert {i}.f(), 'x'; call {i}.p(); commit;
          create temp table x as select * from {i}.t; drop table {i}.t;
          execute 'drop table {q}.t' into n using {i}.f();
          return;
        exception when unique_violation or others then perform {i}.f();
        end lab $$ language plpgsql""",
    "language first": "create function f() returns trigger language plpgsql as $$ begin "
    "if new.col = 'col' then insert into {i}.log values (new.*); end if; return new; end $$",
    "concatenated": "do $$ begin execute 'alter table {q}.' || quote_ident(t) || ' add x int'; "
    "execute 'select 1 from {q}' || '.' || t; end $$",
    "concatenated with a literal": "do $$ begin execute 'select 1 from t where schemaname = ' "
    "|| quote_literal('{s}'); execute 'drop schema ' || quote_ident('{s}'); end $$",
    "a condition in a variable": "do $$ begin execute 'select 1 from {q}.t where ' || cond; "
    "execute q || ' and x in (select y from {q}.u)'; end $$",
    "format": "do $$ begin execute format('drop index {f}.%I', x); end $$",
    "format with percent": "do $$ begin execute format('select 1 from {f}.a where b like ''5%%'' "
    "and c = %L', x); end $$",
    "format with numbers": "do $$ begin execute format('table %2$I.%1$I', 'col', '{s}'); end $$",
    "format with a literal": "do $$ begin execute format('select %L::regclass, %s from t where "
    "nspname = %L', '{q}.t', '{q}.f()', '{s}'); end $$",
    "format with a regclass": "do $$ begin execute format('comment on table %s is %L', "
    "'{q}.a'::regclass, '{q}.b'::regclass || x); end $$",
    "format in pieces": "do $$ begin execute format('select 1 from {f}.a' || ' where %I = 1', x)"
    " || ' and b in (table {q}.b)'; end $$",
    "format in a variable": "do $$ declare s text := format('table {f}.%I', 'a'); begin "
    "s := 'table {q}.a'; execute s; end $$",
    "format in sql": "select format('create table {f}.%I (a int)', x) from y",
    "strings in dynamic sql": "do $$ begin execute 'select 1 from t where table_schema = ''{ss}'' "
    "and x = ''col'''; end $$",
    "escapes": r"select E'{e}.\x41\n'::regclass from {i}.a",
    "several parts": "select nextval('{q}.'\n  's')",
}
"""`{i}` an identifier, `{s}` a name in a literal, `{q}` an identifier in a literal, `{f}` one in a
format string, `{ss}` a name in a literal in a literal, `{e}` an identifier in an E'' literal."""


def written(template: str, name: str) -> str:
    """Return a statement with a name in the quoting of every place."""
    plain = name in ("col", "gacl", "lab_a")
    identifier = name if plain else '"' + name.replace('"', '""') + '"'
    inside = identifier.replace("'", "''")
    raw = name.replace("'", "''")
    values = {
        "i": identifier,
        "s": raw,
        "q": inside,
        "f": inside.replace("%", "%%"),
        "ss": raw.replace("'", "''"),
        "e": inside.replace("\\", "\\\\"),
    }
    for key, value in values.items():
        template = template.replace("{" + key + "}", value)
    return template


HARDEST = 'Le lab\'o "é" %I%% \\n $x, a.b;--/*:c'
SOME = (
    "table", "path in quotes", "path by function", "regprocedure", "privilege on schema",
    "compared in rows", "sql body in quotes", "declarations", "do in do", "concatenated",
    "format in pieces", "format with a literal", "strings in dynamic sql", "escapes",
)  # fmt: skip
COMBINATIONS = [
    *((place, name) for place in PLACES for name in ("lab_a", "order", HARDEST)),
    *((place, name) for place in SOME for name in AWKWARD.values()),
]


@pytest.mark.parametrize(("place", "name"), COMBINATIONS)
def test_a_name_is_bound_in_the_quoting_of_its_place(place: str, name: str) -> None:
    sql = written(PLACES[place], "col")
    bound = bind(sql, {"col": name})
    assert bound == written(PLACES[place], name)
    assert bind(bound, {name: "col"}) == sql or name == "gacl"


@pytest.mark.parametrize("place", PLACES)
def test_unchanged_names_change_nothing(place: str) -> None:
    sql = written(PLACES[place], "col")
    assert bind(sql, {"col": "col", "gacl": "gacl"}) is sql
    assert bind(sql, {"gacl": "order"}) == sql


@pytest.mark.parametrize("place", PLACES)
def test_nothing_known_is_in_doubt(place: str) -> None:
    assert doubts(written(PLACES[place], "col"), {"col": "x"}) == ()


@pytest.mark.parametrize("place", PLACES)
def test_names_can_be_swapped(place: str) -> None:
    both = written(PLACES[place], "col") + ";\n" + written(PLACES[place], "gacl")
    swapped = written(PLACES[place], "gacl") + ";\n" + written(PLACES[place], "col")
    assert bind(both, {"col": "gacl", "gacl": "col"}) == swapped


DATA = {
    "code of the application": "insert into g.aclappli values (1, 'col', E'col', $$col$$)",
    "insert select": "insert into g.aclappli select 1, 'col'",
    "update": "update a set appli = 'col' where appli = 'col' and col = 'col'",
    "default": "create table a (appli text default 'col')",
    "comment": "comment on table a is 'col.sample'; -- col.sample\n/* col.sample */ select 1",
    "alias": "select col.uid, col from (select 1) col",
    "alias of a column": "select 1 as col order by col",
    "column": "alter table a add col int; create index col on a (col)",
    "role": "alter table a owner to col; grant select on a to col",
    "database": "grant connect on database col to x",
    "look-alikes": "select collection, protocol, collec.x from collec, col_object_geom_idx",
    "in quotes": 'select "COL".x, "Col".f() from "col ".a',
    "field": "select (a).col.x, b.col from a",
    "named argument": "select f(col => 1)",
    "unqualified path": "set search_path to default; set other.col = 'col'",
    "prose": "select 1 where a like '%col%' and b = 'the col of col'",
    "data of a template": "insert into request (body) values ('collection.col = 1')",
    "variables": "do $$ declare col record; begin col.x := 1; select 1 into col.y; "
    "perform col.z from (select 1) t; raise notice 'col.x %', col.x; end $$",
}


@pytest.mark.parametrize("place", DATA)
def test_what_is_no_schema_is_left_alone(place: str) -> None:
    assert bind(DATA[place], {"col": "order", "gacl": "x"}) == DATA[place]
    assert doubts(DATA[place], {"col": "order", "gacl": "x"}) == ()


def test_folded_and_quoted_names_are_found() -> None:
    sql = 'select * from COL.a, "col".b, U&"c\\006fl".c'
    assert bind(sql, {"col": "Lab"}) == 'select * from "Lab".a, "Lab".b, "Lab".c'


def test_quotes_by_choice_stay() -> None:
    assert bind('table "col".a', {"col": "lab"}) == 'table "lab".a'


def test_a_word_keeps_apart_from_its_neighbours() -> None:
    assert bind('select"col".f(1)', {"col": "lab"}) == 'select"lab".f(1)'
    assert bind('select"a b".f(1)', {"a b": "lab"}) == 'select"lab".f(1)'


def test_a_name_that_ends_a_dollar_quote_gets_another_one() -> None:
    sql = "do $$ begin perform col.f(); end $$"
    bound = bind(sql, {"col": "a$$b"})
    assert bound == 'do $_bound1$ begin perform "a$$b".f(); end $_bound1$'
    assert bind(bound, {"a$$b": "col"}) == sql


def test_a_nested_dollar_quote_is_changed_at_its_own_level() -> None:
    sql = "do $a$ begin execute $b$ drop table col.x $b$; end $a$"
    bound = bind(sql, {"col": "$b$"})
    assert bound == 'do $a$ begin execute $b_bound1$ drop table "$b$".x $b_bound1$; end $a$'
    assert bind(bound, {"$b$": "col"}) == sql


def test_roles_are_bound_apart_from_schemas() -> None:
    sql = (
        "alter table col.a owner to collec; create schema x authorization collec; "
        "grant all on database collec to collec; set role collec; select 'collec'::regrole, "
        "has_table_privilege('collec', 'col.a', 'select'), collec.x from collec"
    )
    bound = bind(sql, {"col": "collec"}, roles={"collec": "Le labo"})
    assert bound == (
        'alter table collec.a owner to "Le labo"; create schema x authorization "Le labo"; '
        'grant all on database collec to "Le labo"; set role "Le labo"; '
        "select '\"Le labo\"'::regrole, "
        "has_table_privilege('Le labo', 'collec.a', 'select'), collec.x from collec"
    )


def test_a_pattern_is_escaped() -> None:
    sql = "select 1 from t where table_schema like 'col'"
    bound = bind(sql, {"col": "a_%\\"})
    assert bound == "select 1 from t where table_schema like 'a\\_\\%\\\\'"
    assert bind(bound, {"a_%\\": "col"}) == sql


def test_a_script_that_does_not_parse_is_refused_with_its_line() -> None:
    with pytest.raises(ScriptUnreadable, match="line 3: syntax error"):
        bind("select 1;\n\nselect from where col", {"col": "x"})


def test_a_body_that_does_not_parse_is_refused_with_its_line() -> None:
    sql = "select 1;\ncreate function f() returns int language sql as $$\n  selec col.a\n$$"
    with pytest.raises(ScriptUnreadable, match=r"line 3: .*in the body: syntax error"):
        bind(sql, {"col": "x"})


def test_what_cannot_be_proved_is_refused() -> None:
    with pytest.raises(ScriptUnreadable, match=r"line 1: .*the result does not mean the same"):
        bind("alter table a owner to collec", {}, roles={"collec": "public"})
