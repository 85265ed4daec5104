"""Any two legal identifiers can be bound, there and back."""

from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collec_migrations.names import Names
from collec_migrations.scripts import bind, tokens

SCRIPT = r"""-- col.sample of gacl
set search_path = col, 'gacl', public;
create table col.sample (uid int primary key, acl int references gacl.aclgroup (id));
comment on column col.sample.uid is 'col.sample, E''gacl''';
insert into gacl.aclappli (appli) values ('col'), (E'col\n'), ($$gacl$$);
create view col.v as select col.uid, gacl.sample.x from col.sample col, gacl.sample;
alter sequence col.s owned by col.sample.uid;
select setval('col.s', 1), 'gacl."t"'::regclass, E'\tcol.s', nextval(E'gacl.\x73');
select 1 from pg_tables where schemaname in ('col', 'gacl') and appli = 'col';
create function col.f(a gacl.t) returns setof col.sample as 'select * from col.sample
where nspname = ''gacl''' language sql;
do $do$
declare r col.sample%rowtype; s gacl.t := gacl.f('col.s'::regclass);
begin
  for r in select * from col.sample loop
    execute format('drop index col.%I; select ''gacl''::regnamespace, 5 %% 2', r.uid);
    execute 'select 1 from gacl.' || quote_ident(x) || ' where table_schema = ''col''';
  end loop;
  execute $q$ do $$ begin perform col.f(gacl.g()); end $$ $q$;
end $do$;
"""
TAKEN = frozenset(["public", "sample", "aclappli", "pg_catalog", "r", "t", "s", "f", "g", "q", "x"])
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=24)
marks = st.text("colga'\"\\%$.,;:- I\n_q1Éé", min_size=1, max_size=24)
legal = (words | marks | st.sampled_from(["user", "order", "gacl", "col", "SELECT"])).filter(
    lambda name: len(name.encode()) <= 63 and not name.startswith("pg_")
)


def spelled(sql: str) -> list[str]:
    """Return all identifiers before a dot."""
    found = tokens.scan(sql)
    return [
        token.identifier for token, after in pairwise(found) if after.text == "." and token.is_name
    ]


@settings(max_examples=60, deadline=None)
@given(gacl=legal, col=legal)
def test_any_names_are_bound_there_and_back(gacl: str, col: str) -> None:
    assume(gacl != col and not {gacl, col} & TAKEN)
    names = Names.parse(gacl=gacl, col=col).by_default_name
    bound = bind(SCRIPT, names)
    assert bind(bound, {gacl: "gacl", col: "col"}) == SCRIPT


@settings(max_examples=60, deadline=None)
@given(gacl=legal, col=legal)
def test_no_default_name_is_left_before_a_dot(gacl: str, col: str) -> None:
    assume(gacl != col and not {gacl, col} & {"gacl", "col"})
    bound = bind(SCRIPT, {"gacl": gacl, "col": col})
    left = [name for name in spelled(bound) if name in {"gacl", "col"} - {gacl, col}]
    assert left == ["col"], "only the alias in the view"


def test_default_names_change_nothing() -> None:
    assert bind(SCRIPT, Names().by_default_name) is SCRIPT
