"""Servers and databases for every test; a server starts when a test first asks for it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor

from collec_migrations.postgres import cluster, embedded
from collec_migrations.postgres.address import Address
from tests import servers, standbys
from tests.servers import Server
from tests.standbys import Pair

os.environ["TMPDIR"] = tempfile.tempdir = str(servers.scratch())
"""What a test writes is in memory, too: a server's files cost half of the system's time there."""

Servers = Callable[[int], Server]
Clone = Callable[[str], Address]
collect_ignore = ["data"]

os.environ["PATH"] += f"{os.pathsep}/usr/sbin{os.pathsep}/sbin"
"""Where `runuser` is, which messages name: an ordinary account, and cron, have no such PATH."""
SOAK = 3600
"""Seconds that a long run may take; all others have those of pyproject.toml."""

os.environ["COLLEC_WITHOUT_POSTGIS"] = "yes"  # the wheels' servers have no PostGIS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give long runs more time."""
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(SOAK))


@pytest.fixture(scope="session")
def server() -> Iterator[Servers]:
    """Return the server of a major version: one for each worker, stopped at the end."""
    started: dict[int, Server] = {}
    with ExitStack() as stack:

        def of(major: int) -> Server:
            if major not in started:
                started[major] = stack.enter_context(servers.running(major))
            return started[major]

        yield of


@pytest.fixture(scope="session")
def server18(server: Servers) -> Server:
    """Return the server that this package embeds."""
    return server(18)


@pytest.fixture(scope="session", params=servers.majors(), ids=lambda major: f"pg{major}")
def any_server(server: Servers, request: pytest.FixtureRequest) -> Server:
    """Return a server of each major at hand: the test runs once for each."""
    return server(request.param)


@pytest.fixture(scope="session", params=servers.majors(life=True), ids=lambda major: f"pg{major}")
def whole_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Return a server of each major that has all its own programs, pg_dump among them."""
    with servers.running(request.param, servers.with_clients(request.param)) as found:
        yield found


@pytest.fixture
def database(server18: Server) -> Iterator[Address]:
    """Return a fresh empty database."""
    with server18.database() as address:
        yield address


@pytest.fixture
def clone(server18: Server) -> Iterator[Clone]:
    """Return a function that clones a database; `server18.template` makes one to clone."""
    with ExitStack() as stack:
        yield lambda template: stack.enter_context(server18.database(template))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that every account may enter; its embedded servers are stopped at the end."""
    top = Path(tempfile.mkdtemp(prefix="collec-test-", dir=servers.scratch()))
    top.chmod(0o755)
    try:
        yield top
    finally:
        _remove(top)


def _remove(top: Path) -> None:
    for private in top.rglob(".collec"):
        found = embedded.find(private.parent)
        if found:
            cluster.stop(found)
            shutil.rmtree(found.home)
    shutil.rmtree(top)


@pytest.fixture(scope="session")
def postgresql_noproc(server18: Server) -> Iterator[NoopExecutor]:
    """Connect pytest-postgresql's own fixtures to our server: its own refuses to run as root."""
    address = server18.address
    executor = NoopExecutor(
        host=address.host,
        port=address.port,
        user=address.user,
        password=None,
        dbname="tests",
        options="",
    )
    with DatabaseJanitor(
        user=executor.user,
        host=executor.host,
        port=executor.port,
        dbname=executor.template_dbname,
        as_template=True,
    ):
        yield executor


postgresql = factories.postgresql("postgresql_noproc")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a site's own folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def pair_templates() -> Iterator[Callable[[int], Path]]:
    """Return the function that gives the template of a primary and its standby."""
    made: dict[int, Path] = {}
    with ExitStack() as stack:

        def of(major: int) -> Path:
            if major not in made:
                made[major] = stack.enter_context(standbys.template(major))
            return made[major]

        yield of


@pytest.fixture
def pair18(pair_templates: Callable[[int], Path]) -> Iterator[Pair]:
    """Return a running primary and standby of 18."""
    with standbys.pair(pair_templates(18)) as both:
        yield both


@pytest.fixture(params=servers.majors(life=True), ids=lambda major: f"pg{major}")
def any_pair(
    pair_templates: Callable[[int], Path], request: pytest.FixtureRequest
) -> Iterator[Pair]:
    """Return a running primary and standby of each major at hand."""
    with standbys.pair(pair_templates(request.param)) as both:
        yield both
