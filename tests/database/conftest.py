"""A prepared primary, and a name for a standby of it."""

from collections.abc import Iterator

import pytest

from tests import clusters, primaries
from tests.primaries import Prepared

MEGABYTES = 6
"""Enough to be caught in the middle of a copy that is slowed down."""


@pytest.fixture(scope="session")
def prepared() -> Iterator[Prepared]:
    """Give a primary of 18 with a few megabytes, shared by the faults."""
    with clusters.site(18) as site:
        made = primaries.prepare(site)
        made.execute(
            "create table document as select i, repeat(md5(i::text), 300) as data"
            f" from generate_series(1, {MEGABYTES * 100}) i"
        )
        made.execute("alter table document alter data set storage external")
        yield made


@pytest.fixture
def name(prepared: Prepared, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a name for a standby, which is stopped and removed at the end with its slot."""
    made = f"s{abs(hash(request.node.name)) % 10**8}"
    yield made
    prepared.remove(made)
