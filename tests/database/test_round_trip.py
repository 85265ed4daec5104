"""There and back: whatever the rows, whatever the versions, whatever was done between."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from collec_migrations.postgres.address import Address
from collec_migrations.postgres.connection import Connection
from tests import chain, strategies
from tests.builders import content, memory, rows, work
from tests.builders.memory import Memory, Shape
from tests.conftest import Clone
from tests.servers import Server

SHAPES = {version: Shape.of(chain.known(version)) for version in chain.VERSIONS}
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
OWN_TABLES = ("alembic_version", "migration_history")
Days = Sequence[int | None]
"""What is done at each stop of a journey: nothing, or the work that a seed tells."""

few = settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Rows of megabytes are no help: the difference names the table, the blob repeats the case.
    verbosity=Verbosity.quiet,
    # To shrink takes hundreds of journeys of seconds: only by hand.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
many = settings(few, max_examples=25)
IDLE: Days = (None,) * 16


def others(start: str) -> list[str]:
    return [version for version in chain.VERSIONS if version != start]


def journeys(start: str, at_most: int = 6) -> st.SearchStrategy[tuple[content.Content, Days]]:
    """Return rows for the start, and what is done at the stops."""
    seeds = st.none() | st.integers(0, 2**32 - 1)
    return st.tuples(
        strategies.contents(chain.known(start), at_most=at_most),
        st.lists(seeds, min_size=11, max_size=11),
    )


class Journey:
    """A database that goes from version to version, and is compared at each stop."""

    def __init__(self, address: Address, connection: Connection, start: str) -> None:
        self.address, self.connection = address, connection
        self.start = self.version = start
        self.compared = 0

    def begin(self, drawn: content.Content) -> None:
        """Come back to the start, whatever happened before, and take other rows."""
        self.connection.rollback()
        self.move(self.start)
        chain.execute(self.address, "drop schema if exists gacl_archive, col_archive cascade")
        # The unique key of 1.1 takes no names of thousands of characters: the upgrade is refused.
        for row in drawn.rows("operation"):
            row["operation_name"] = str(row["operation_name"])[:200]
        content.replace_rows(self.connection, chain.DEFAULT, drawn)
        self.connection.commit()
        self.memory = Memory()
        self.memory.see(self.seen(), SHAPES[self.version])

    def move(self, version: str) -> None:
        there = chain.query(self.address, "select version_num from col.alembic_version")[0][0]
        ahead = chain.VERSIONS.index(version) - chain.VERSIONS.index(str(there))
        if ahead:
            (chain.upgrade if ahead > 0 else chain.downgrade)(self.address, version)
        self.version = version

    def seen(self) -> memory.Snapshot:
        found = memory.snapshot(self.connection, SHAPES[self.version])
        self.connection.rollback()
        return found

    def arrive(self, version: str) -> None:
        """Go to a version, and find exactly what should be there."""
        self.move(version)
        found, expected = self.seen(), self.memory.expected(SHAPES[version])
        assert not memory.difference(expected, found), version
        self.compared += memory.size(found)
        self.memory.see(found, SHAPES[version])

    def do(self, seed: int | None, day: int) -> None:
        if seed is not None:
            work.do(self.connection, SHAPES[self.version], seed=seed, day=day)
            self.memory.see(self.seen(), SHAPES[self.version])

    def dump(self) -> dict[str, list[str]]:
        """Return every row of the application's tables, `dbversion` too."""
        found: dict[str, list[str]] = {}
        for schema in ("gacl", "col"):
            dumped = rows.dump_rows(self.connection, schema)
            found |= {f"{schema}.{t}": r for t, r in dumped.items() if t not in OWN_TABLES}
        self.connection.rollback()
        return found


def travel(journey: Journey, drawn: content.Content, days: Days) -> None:
    """Go from the start to every other version and back, each time."""
    journey.begin(drawn)
    before = journey.dump()
    day = itertools.count()
    for version in others(journey.start):
        for stop in (version, journey.start):
            journey.arrive(stop)
            number = next(day)
            journey.do(days[number], number)
        if not any(days):
            after = journey.dump()
            assert not rows.difference(before, after), version
            journey.compared += sum(map(len, after.values()))
    if not any(days):
        archives = "select nspname from pg_namespace where nspname ~ '_archive$'"
        assert chain.query(journey.address, archives) == []


@pytest.mark.parametrize("start", chain.VERSIONS)
def test_every_version_and_back_gives_the_same_rows(
    server18: Server, clone: Clone, start: str
) -> None:
    address = clone(chain.template_at(server18, start))
    with chain.connected(address) as connection:
        journey = Journey(address, connection, start)

        @few
        @given(strategies.contents(chain.known(start)))
        def holds(drawn: content.Content) -> None:
            travel(journey, drawn, IDLE)

        holds()


@pytest.mark.soak
@pytest.mark.parametrize("start", chain.VERSIONS)
def test_thousands_of_rows_and_many_journeys(server18: Server, clone: Clone, start: str) -> None:
    address = clone(chain.template_at(server18, start))
    with chain.connected(address) as connection:
        journey = Journey(address, connection, start)

        @many
        @given(journeys(start, at_most=1000))
        def holds(drawn: tuple[content.Content, Days]) -> None:
            travel(journey, *drawn)

        holds()


@pytest.mark.parametrize("start", chain.VERSIONS)
def test_work_done_between_stays(server18: Server, clone: Clone, start: str) -> None:
    address = clone(chain.template_at(server18, start))
    with chain.connected(address) as connection:
        journey = Journey(address, connection, start)

        @few
        @given(journeys(start))
        def holds(drawn: tuple[content.Content, Days]) -> None:
            travel(journey, *drawn)

        holds()
