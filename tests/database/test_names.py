"""Any two legal identifiers name the schemas, and nothing of the default pair is left."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collec_migrations.catalog import compare
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain, strategies
from tests.servers import Server

AWKWARD = (
    Names(gacl="Droits d'accès", col='la"bo'),
    Names(gacl="user", col="order"),
    Names(gacl="col", col="gacl"),
    Names(gacl="a%s:b", col="100%"),
    Names(gacl="é" * 31, col="x" * 63),
    Names(gacl="$$", col="\\'"),
    Names(gacl="GACL", col="COL"),
    Names(gacl="a.b", col="a,b"),
    Names(gacl="lab_archive", col="lab"),
)

DEFINITIONS = """
select pg_get_viewdef(c.oid) from pg_class c where c.relkind = 'v' and c.relnamespace > 16000
union all select pg_get_expr(adbin, adrelid) from pg_attrdef
union all select pg_get_constraintdef(oid) from pg_constraint where connamespace > 16000
union all select nspname from pg_namespace
"""


def check(address: Address, names: Names) -> None:
    """Walk the chain and assert that the catalog is the measured one, under these names only."""
    chain.upgrade(address, "1.0", **chain.under(names))
    chain.upgrade(address, **chain.under(names))
    assert not compare(expected=chain.known(chain.HEAD), observed=chain.catalog(address, names))
    if not {"gacl", "col"} & {names.gacl, names.col}:
        texts = [str(text) for (text,) in chain.query(address, DEFINITIONS)]
        assert not [t for t in texts if t in ("gacl", "col") or "gacl." in t or " col." in t]


def test_awkward_names_reach_the_measured_catalog(server18: Server) -> None:
    for names in AWKWARD:
        with server18.database() as address:
            check(address, names)


@pytest.mark.parametrize(
    "examples", [pytest.param(5, id="few"), pytest.param(100, id="many", marks=pytest.mark.soak)]
)
def test_any_pair_of_names_reaches_the_measured_catalog(server18: Server, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(pair=strategies.names())
    def holds(pair: Names) -> None:
        with server18.database() as address:
            check(address, pair)

    holds()


@settings(max_examples=200, deadline=None)
@given(names=st.lists(strategies.identifiers(), min_size=1, max_size=4, unique=True))
def test_a_list_of_schemas_is_read_as_it_was_quoted(names: list[str]) -> None:
    from collec_migrations.settings import split_list

    assert split_list(", ".join(chain.quoted(name) for name in names)) == tuple(names)


def test_two_pairs_in_one_database_do_not_touch_each_other(database: Address) -> None:
    one, other = Names(gacl="rights A", col="data A"), Names(gacl="gacl", col="col")
    chain.upgrade(database, "1.0.8", **chain.under(one))
    before = chain.catalog(database, one)
    chain.upgrade(database, **chain.under(other))
    chain.execute(database, "delete from gacl.acllogingroup")
    assert chain.catalog(database, one) == before
    assert not compare(expected=chain.known(chain.HEAD), observed=chain.catalog(database, other))
    assert chain.query(database, 'select count(*) from "rights A".acllogingroup') == [(2,)]
    crossing = """
        select d.classid::regclass, d.objid, d.refobjid from pg_depend d
        join pg_class a on a.oid = d.objid join pg_namespace na on na.oid = a.relnamespace
        join pg_class b on b.oid = d.refobjid join pg_namespace nb on nb.oid = b.relnamespace
        where na.nspname like %s and nb.nspname in ('gacl', 'col')
    """
    assert chain.query(database, crossing, "% A") == []
