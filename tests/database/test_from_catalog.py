"""Databases built from catalogs have exactly the facts of those catalogs."""

import pytest

from collec_migrations.catalog import Catalog, compare, normalised
from collec_migrations.names import Names
from tests.builders import databases, from_catalog, reader, stored
from tests.servers import Server

ODD = Names(gacl='rights "of" all', col="100% l'Étang.x")

UNUSUAL = ("fresh/1.2.3", "fresh/2.4", "fresh/2.5", "fresh/26.2")
"""pg_trgm in the data schema, operator classes of btree_gin, fill factors, geography."""

LATER = {"strict_word_similarity": 11, "gtrgm_options": 13}
"""Functions of pg_trgm, and since which major it has them."""


def built(server: Server, version: str) -> Catalog:
    with databases.empty(server) as connection:
        from_catalog.build(connection, stored.load(version), Names())
        return reader.read(connection, Names())


@pytest.mark.parametrize("version", [*stored.UPGRADED, *stored.FRESH])
def test_a_built_database_has_the_facts_of_its_catalog(server18: Server, version: str) -> None:
    observed = built(server18, version)
    assert not compare(expected=stored.built(version), observed=observed)


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.4", "26.2", *UNUSUAL])
def test_every_major_gives_the_same_facts(any_server: Server, version: str) -> None:
    observed = normalised(built(any_server, version))
    expected = normalised(stored.built(version))
    late = tuple(name for name, since in LATER.items() if any_server.major < since)
    facts = [one for one in expected.facts if not one.name.startswith(late or ("-",))]
    assert not compare(expected=Catalog(frozenset(facts)), observed=observed)


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.4", "26.2"])
def test_names_do_not_matter(server18: Server, version: str) -> None:
    with databases.empty(server18) as connection:
        from_catalog.build(connection, stored.load(version), ODD)
        observed = reader.read(connection, ODD)
    assert not compare(expected=stored.built(version), observed=observed)


def test_two_data_schemas_stand_beside_one_rights_schema(server18: Server) -> None:
    catalog = stored.load("1.1")
    with databases.empty(server18) as connection:
        for name in ("fish", "water"):
            names = Names(gacl="rights", col=name)
            from_catalog.build(connection, catalog, names)
            assert not compare(expected=catalog, observed=reader.read(connection, names))


def test_building_leaves_the_search_path_alone(server18: Server) -> None:
    with databases.empty(server18) as connection, connection.cursor() as cursor:
        from_catalog.build(connection, stored.load("1.0"), Names())
        cursor.execute("show search_path")
        assert cursor.fetchone() == ('"$user", public',)
