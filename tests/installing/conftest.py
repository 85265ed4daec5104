"""Servers as a distribution makes them: one for each major, for all tests of this folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests import servers, sites
from tests.sites import Site


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
    site = sites_by_major(request.param)
    yield site
    if site.hba.read_text() != sites.RULES:
        site.put_rules(sites.RULES)
    for copy in site.folder.glob("pg_hba.conf.before-*"):
        copy.unlink()
