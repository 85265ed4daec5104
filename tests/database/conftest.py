"""A prepared primary, and a name for a standby of it."""

import subprocess
from collections.abc import Iterator

import pytest

from tests import replicas, replication
from tests.replicas import Prepared

MEGABYTES = 6
"""Enough to be caught in the middle of a copy that is slowed down."""


@pytest.fixture(scope="session")
def prepared() -> Iterator[Prepared]:
    """Give a primary of 18 with a few megabytes, shared by the faults."""
    with replication.site(18) as site:
        made = replicas.prepare(site)
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
    prepared.site.stop(made)
    for path in prepared.site.home.glob(f"{made}*"):
        subprocess.run(["rm", "-r", str(path)], check=True)
    if f"{made}_slot" in prepared.slots():
        replicas.until(lambda: not _active(prepared, made))
        prepared.execute(f"select pg_drop_replication_slot('{made}_slot')")


def _active(prepared: Prepared, name: str) -> bool:
    query = f"select active from pg_replication_slots where slot_name = '{name}_slot'"
    return bool(replication.rows(prepared.address, query)[0][0])
