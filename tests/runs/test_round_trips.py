"""Every step there and back, with rows in every table and every column, loses nothing."""

from itertools import combinations, pairwise

import pytest

from collec_migrations import versions
from collec_migrations.postgres.address import Address
from tests import chain
from tests.builders import filled
from tests.builders import rows as dumps
from tests.conftest import Clone
from tests.servers import Server

PAIRS = list(pairwise(versions.in_chain(versions.versions_folder())))
ALL_PAIRS = [pair for pair in combinations(versions.in_chain(versions.versions_folder()), 2)
             if pair not in PAIRS]  # fmt: skip


def filled_at(server: Server, version: str) -> str:
    """Return the name of a template of a version with rows everywhere."""

    def build(address: Address) -> None:
        with chain.connected(address) as connection:
            filled.fill(connection, chain.DEFAULT, version)
            connection.commit()

    return server.template(f"filled {version}", build, chain.template_at(server, version))


def travel(server: Server, clone: Clone, start: str, stop: str) -> None:
    """Go to another version and back; the rows are as they were, and nothing stays behind."""
    address = clone(filled_at(server, start))
    with chain.connected(address) as connection:
        before = filled.rows(connection, chain.DEFAULT)
    said = chain.move(address, stop) + chain.move(address, start)
    with chain.connected(address) as connection:
        after = filled.rows(connection, chain.DEFAULT)
    assert dumps.difference(before, after) == []
    assert [line for line in said if "stay in the archive" in line] == []


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_down_and_up_again(server18: Server, clone: Clone, old: str, new: str) -> None:
    travel(server18, clone, new, old)


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_up_and_down_again(server18: Server, clone: Clone, old: str, new: str) -> None:
    travel(server18, clone, old, new)


@pytest.mark.soak
@pytest.mark.parametrize(("old", "new"), ALL_PAIRS)
def test_all_pairs(server18: Server, clone: Clone, old: str, new: str) -> None:
    travel(server18, clone, new, old)
    travel(server18, clone, old, new)
