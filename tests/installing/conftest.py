"""Servers as a distribution makes them: one for each major, for all tests of this folder."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests import servers, sites
from tests.installing import installations
from tests.installing.installations import Lab
from tests.sites import Site

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def sites_by_major() -> Iterator[Callable[[int], Site]]:
    """Return the server of a major version, started when it is first asked for."""
    started: dict[int, Site] = {}
    with ExitStack() as stack:

        def of(major: int) -> Site:
            if major not in started:
                started[major] = stack.enter_context(sites.running(major))
            return started[major]

        yield of


@pytest.fixture(params=servers.majors(), ids=lambda major: f"pg{major}")
def site_server(
    sites_by_major: Callable[[int], Site], request: pytest.FixtureRequest
) -> Iterator[Site]:
    """Return a server of each major, whose access rules are put back afterwards."""
    yield from _put_back(sites_by_major(request.param))


@pytest.fixture
def site18(sites_by_major: Callable[[int], Site]) -> Iterator[Site]:
    """Return the server of the newest major, for what does not depend on the major."""
    yield from _put_back(sites_by_major(max(servers.majors())))


def _put_back(site: Site) -> Iterator[Site]:
    yield site
    if site.hba.read_text() != sites.RULES:
        site.put_rules(sites.RULES)
    for copy in site.folder.glob("pg_hba.conf.before-*"):
        copy.unlink()


@pytest.fixture
def lab(site_server: Site) -> Iterator[Lab]:
    """Return an installation that is not made yet, on a server of each major."""
    with installations.lab(site_server, f"lab_{next(NUMBERS)}") as made:
        yield made


@pytest.fixture
def lab18(site18: Site) -> Iterator[Lab]:
    """Return an installation that is not made yet, on the newest major."""
    with installations.lab(site18, f"lab_{next(NUMBERS)}") as made:
        yield made
