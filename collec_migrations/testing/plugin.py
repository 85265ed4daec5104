"""What pytest loads: options, and fixtures that import what they need when a test asks for them."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collec_migrations.testing.databases import Databases, MakeDatabase, Server

MAJOR = "collec_major"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options; each has an ini key, and an environment variable that wins."""
    group = parser.getgroup("collec-migrations", "databases of Collec-Science")
    server = (
        "a server for collec_database: an address, or the name of one of pytest-postgresql's "
        "fixtures such as postgresql_noproc (default: a throwaway server; an address with a "
        "password goes into COLLEC_TEST_SERVER)"
    )
    majors = "PostgreSQL majors to run the tests on, as 15,17,18, or all (default: the embedded 18)"
    group.addoption("--collec-server", metavar="WHERE", default=None, help=server)
    group.addoption("--collec-majors", metavar="MAJORS", default=None, help=majors)
    parser.addini("collec_server", server, default="")
    parser.addini("collec_majors", majors, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse majors that cannot be, before any test is collected."""
    if option(config, "collec_majors"):
        _majors(config)


def option(config: pytest.Config, name: str) -> str:
    """Return what an option is: environment, then command line, then ini file."""
    variable = name.upper().replace("COLLEC_", "COLLEC_TEST_")
    found = os.environ.get(variable) or config.getoption(name) or config.getini(name)
    return str(found).strip()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses our server once for each major, when majors were given."""
    if MAJOR not in metafunc.fixturenames or not option(metafunc.config, "collec_majors"):
        return
    if not _is_parametrised(metafunc.definition, MAJOR):
        chosen = _majors(metafunc.config)
        metafunc.parametrize(MAJOR, chosen, ids=[f"pg{one}" for one in chosen], scope="session")


def _majors(config: pytest.Config) -> tuple[int, ...]:
    """Return the majors that `collec_majors` tells: `all`, or a list as 15,17,18.

    Raises `pytest.UsageError` for what is no such list, or does not fit a given server.
    """
    from collec_migrations.errors import MigrationError
    from collec_migrations.postgres import binaries

    text = option(config, "collec_majors")
    if option(config, "collec_server"):
        raise pytest.UsageError("collec_majors does not go with collec_server: that has one major")
    if text == "all":
        return tuple(sorted({int(one.major) for one in binaries.at_hand()}))
    try:
        found = tuple(int(one) for one in text.split(","))
        for major in found:
            binaries.find(major)
    except ValueError:
        raise pytest.UsageError(f"collec_majors is a list as 15,17,18, not {text!r}") from None
    except MigrationError as error:
        raise pytest.UsageError(f"collec_majors: {error}. {error.hint}") from None
    return found


def _is_parametrised(item: pytest.Item, argument: str) -> bool:
    """Tell whether a test itself says which values an argument takes."""
    return any(
        argument in (names.split(",") if isinstance(names, str) else names)
        for mark in item.iter_markers("parametrize")
        for names in mark.args[:1]
    )


@pytest.fixture(scope="session")
def collec_major() -> int | None:
    """Return the major of PostgreSQL to use; None: the embedded one, or the server's own."""
    return None


@pytest.fixture(scope="session")
def collec_server(request: pytest.FixtureRequest, collec_major: int | None) -> "Iterator[Server]":
    """Return the server: one for each xdist worker, or the one whose address was given."""
    from collec_migrations.errors import MigrationError
    from collec_migrations.testing import databases

    where = option(request.config, "collec_server")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(
                databases.server_at(where, collec_major, request.getfixturevalue)
            )
        except MigrationError as error:
            failure = f"{error}\n{error.hint}"
        else:
            yield server
            return
    pytest.fail(failure, pytrace=False)


@pytest.fixture(scope="session")
def collec_databases(collec_server: "Server") -> "Iterator[Databases]":
    """Return what makes databases and keeps templates, which are dropped with the session."""
    from collec_migrations.testing import databases

    with ExitStack() as stack:
        yield databases.Databases(collec_server, stack)


@pytest.fixture
def collec_database(
    collec_databases: "Databases", request: pytest.FixtureRequest
) -> "Iterator[MakeDatabase]":
    """Return a function that gives a fresh database of a version, dropped after the test."""
    from collec_migrations.testing import databases

    with ExitStack() as stack:
        yield databases.maker(collec_databases, request.config.rootpath, stack)
