"""What is known from the field is recognised as its version, and told."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from collec_migrations.bridge import detection
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection
from tests import chain
from tests.builders import variants
from tests.builders.variants import Variant
from tests.servers import Server

NAMES = Names()
CASES = [
    (version, variant)
    for version in ("1.0", "1.0.8", "1.1")
    for variant in variants.of_version(version)
    # Groups without rights are rows of the site; the chain's own key refuses to lose its groups.
    if variant.name not in ("rights_of_1_0",)
    and (version, variant.name) != ("1.0", "orphan_groups")
]


@pytest.fixture(scope="module")
def sessions(server18: Server) -> Iterator[dict[str, Connection]]:
    """Give a connection to a database of each version."""
    found: dict[str, Connection] = {}
    for version in ("1.0", "1.0.8", "1.1"):
        address = server18.create_database(template=chain.template_at(server18, version))
        found[version] = psycopg2.connect(address.dsn)
    yield found
    for connection in found.values():
        with closing(connection):
            connection.rollback()


@pytest.mark.parametrize(
    ("version", "variant"), CASES, ids=[f"{version}-{one.name}" for version, one in CASES]
)
def test_a_variant_is_its_version_and_told(
    sessions: dict[str, Connection], version: str, variant: Variant
) -> None:
    session = sessions[version]
    before = detection.verify(session, NAMES, version=version).differences
    variant(session, NAMES)
    report = detection.verify(session, NAMES, version=version)
    session.rollback()
    assert report.detection.versions == (version,)
    if variant.name not in ("orphan_groups", "recorded_twice"):
        assert set(report.differences) - set(before)


KNOWN = ("projet_group", "json_sample_metadata", "upgraded_by_hand")


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_variant_comes_with_its_reason(sessions: dict[str, Connection], name: str) -> None:
    version = "1.1" if name == "upgraded_by_hand" else "1.0.8"
    variant = next(one for one in variants.of_version(version) if one.name == name)
    variant(sessions[version], NAMES)
    report = detection.verify(sessions[version], NAMES, version=version)
    sessions[version].rollback()
    assert [one for one in report.differences if one.known]
