"""Wrapped scripts do the same under any names: every construct of the application's own."""

import hashlib
from pathlib import Path

import pytest

from collec_migrations.catalog import compare
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.scripts import bind
from collec_migrations.wrapping import wrap
from tests import chain, wrapping
from tests.constructs import ROWS, SCRIPTS, VERSIONS
from tests.servers import Server

PAIRS = [
    Names.parse(gacl="rights", col="lab_a"),
    Names.parse(gacl="user", col="order"),
    Names.parse(gacl="Droits d'accès", col='lab-"A"'),
    Names.parse(gacl="100%I %%s", col="$$ $_bound1$ \\n"),
    Names.parse(gacl="col", col="gacl"),
    Names.parse(gacl="é" * 31, col="a\nb; -- :c, d.e"),
]


def rows(address: Address, names: Names) -> dict[str, list[tuple[object, ...]]]:
    """Return what the tables, views and functions of the scripts hold and give."""
    bound = names.by_default_name
    return {name: chain.query(address, bind(sql, bound)) for name, sql in ROWS.items()}


@pytest.fixture
def known(server18: Server, site: Path) -> Address:
    """Return the database that all scripts made under the default names; they can be run again."""
    wrapping.wrapped(SCRIPTS)
    wrapping.decide("leave")
    return wrapping.constructed(server18)


@pytest.mark.parametrize("names", PAIRS, ids=str)
def test_every_construct_gives_the_same_catalog_and_rows_under_other_names(
    database: Address, known: Address, names: Names
) -> None:
    chain.upgrade(database, **chain.under(names))
    assert not compare(expected=chain.catalog(known), observed=chain.catalog(database, names))
    assert rows(database, names) == rows(known, Names())


def test_the_chain_has_more_than_twelve_versions_each_in_history(known: Address) -> None:
    history = chain.query(
        known, "select version, script from col.migration_history order by migration_history_id"
    )
    assert len(VERSIONS) > 12
    assert [row[0] for row in history] == list(VERSIONS)
    assert {row[1] for row in history[1:]} == set(SCRIPTS)


def test_one_version_at_a_time_meets_the_same_catalog(database: Address, known: Address) -> None:
    for version in VERSIONS[:4]:
        chain.upgrade(database, version)
    chain.upgrade(database, transaction="per-version")
    assert not compare(expected=chain.catalog(known), observed=chain.catalog(database))


def test_copies_have_the_bytes_of_the_originals(site: Path) -> None:
    wrapping.wrapped(SCRIPTS)
    for name in SCRIPTS:
        copy, original = wrapping.SITE / name, Path("scripts") / name
        assert copy.read_bytes() == original.read_bytes()


@pytest.mark.parametrize("name", SCRIPTS)
def test_binding_the_default_names_changes_nothing(name: str) -> None:
    assert bind(SCRIPTS[name], Names().by_default_name, roles={"collec": "collec"}) == SCRIPTS[name]


@pytest.mark.parametrize("name", SCRIPTS)
def test_there_and_back_gives_the_same_bytes(name: str) -> None:
    there = {"gacl": "rights_x", "col": "lab_x"}
    back = {new: old for old, new in there.items()}
    again = bind(bind(SCRIPTS[name], there, roles={"collec": "owner_x"}), back,
                 roles={"owner_x": "collec"})  # fmt: skip
    assert again.encode() == SCRIPTS[name].encode()


def test_wrapping_again_adds_nothing(site: Path) -> None:
    wrapping.wrapped(SCRIPTS)
    before = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in wrapping.SITE.iterdir()
    }
    again = wrap.wrap([Path("scripts")], wrap.Place.of(None))
    assert not again.added
    assert again.unchanged == list(VERSIONS[1:])
    after = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in wrapping.SITE.iterdir()
    }
    assert after == before
