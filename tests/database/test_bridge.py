"""Every shape that an installer leaves becomes the version's own, and nothing of a site is lost."""

import json
import random
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from collec_migrations import versions
from collec_migrations.bridge import adoption, catalog_reader, detection, repair
from collec_migrations.catalog import Catalog, normalised
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection
from tests.builders import ddl, from_catalog
from tests.servers import Server

NAMES = Names(gacl='Droits "x"', col="col")
SHAPES = [(version, shape, catalog) for version in versions.BUILT_IN
          for shape, catalog in versions.shapes(version)]  # fmt: skip


def built(catalog: Catalog) -> Catalog:
    """Return a catalog with a moment where an installer froze one."""
    frozen = json.dumps(ddl.FROZEN)[1:-1]
    return Catalog.from_json(catalog.to_json().replace("<moment of installation>", frozen))


@pytest.fixture
def session(server18: Server) -> Iterator[Connection]:
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        yield connection


@pytest.mark.parametrize(("version", "shape", "catalog"), SHAPES,
                         ids=[f"{version}-{shape}" for version, shape, _ in SHAPES])  # fmt: skip
def test_every_shape_becomes_the_chains(
    session: Connection, version: str, shape: str, catalog: Catalog
) -> None:
    from_catalog.build(session, built(catalog), NAMES)
    done = repair.run(session, NAMES, version)
    observed = normalised(catalog_reader.read_catalog(session, NAMES))
    assert observed == repair.target(version, observed)
    assert (done.left, done.own) == ((), ())
    again = repair.run(session, NAMES, version)
    assert again.statements == []


@pytest.mark.parametrize(("version", "shape", "catalog"), SHAPES,
                         ids=[f"{version}-{shape}" for version, shape, _ in SHAPES])  # fmt: skip
def test_every_shape_is_adopted_as_its_version(
    session: Connection, version: str, shape: str, catalog: Catalog
) -> None:
    from_catalog.build(session, built(catalog), NAMES)
    if versions.is_recorded(version):
        execute(session, f"insert into col.dbversion (dbversion_number, dbversion_date) values ('{version}', now())")
    if version in ("1.0", "1.0.4", "2.1"):
        pytest.skip("told by rows and views")
    done = adoption.adopt(session, NAMES)
    assert done.version == version
    assert done.left == ()
    assert detection.detect(session, NAMES).is_sound
    again = adoption.adopt(session, NAMES)
    assert (again.already, again.counts) == (True, {})


def execute(session: Connection, statement: str) -> None:
    """Run a statement."""
    with session.cursor() as cursor:
        cursor.execute(statement)
