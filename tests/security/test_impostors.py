"""A superuser who looks at a database calls nothing that its owner placed there."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from collec_migrations.postgres import connection as database
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.conninfo import Address as Dsn
from collec_migrations.postgres.queries import statement
from tests import chain
from tests.security import impostors
from tests.servers import Server

QUERIES = len(list((impostors.PACKAGE / "data" / "queries").glob("*.sql")))
READING = (
    "detect",
    "verify",
    "adopt --plan --details",
    "history",
    "adopt --yes",
    "upgrade --plan",
    "upgrade --yes",
    "archive list",
    "doctor",
    "backup run --into {folder}",
    "rehearse",
    "app-config",
    "status",
    "downgrade 1.0.6 --plan",
    "downgrade 1.0.6 --yes",
    "archive drop gacl_archive.nothing --yes",
    "replica status --node a={url}",
    "replica primary 10.0.0.2 --plan",
    "install --plan",
)


@pytest.fixture
def hostile(server18: Server, called: Path) -> Iterator[Address]:
    """Give a database of 1.0.8 whose owner waits for a superuser."""

    def build(address: Address) -> None:
        impostors.place(address, called)

    name = server18.template("impostors", build, chain.template_at(server18, "1.0.8"))
    with server18.database(name) as address:
        impostors.divert(address)
        yield address


def test_the_impostors_are_called_by_a_session_of_somebody_else(
    hostile: Address, called: Path
) -> None:
    with closing(psycopg2.connect(hostile.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select quote_ident(relname) from pg_class limit 1")
    assert "quote_ident" in called.read_text()


@pytest.mark.parametrize("words", READING)
def test_no_command_calls_an_impostor(
    hostile: Address, called: Path, words: str, tmp_path: Path
) -> None:
    command = words.format(folder=tmp_path / "backups", url=hostile.url).split()
    where = [] if "{url}" in words else ["--url", hostile.url]
    done = chain.run("collec-migrations", *command, *where, folder=tmp_path)
    assert not called.exists(), called.read_text()
    assert done.returncode in (0, 1, 3), done.stderr  # 3: doctor finds what is broken
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["current", "upgrade head", "downgrade 1.0.6", "stamp head"])
def test_no_command_of_alembic_calls_an_impostor(
    hostile: Address, called: Path, words: str
) -> None:
    done = chain.alembic(*words.split(), url=hostile.url)
    assert not called.exists(), called.read_text()
    assert "Traceback" not in done.stderr
    # A script finds what the schema of an extension holds, as the owner who may put things there.
    assert done.returncode == 0 or "permission denied" in done.stdout or "stamp" in words


@pytest.mark.parametrize("value", ["col", ["col"]], ids=["name", "list"])
def test_no_query_calls_an_impostor(hostile: Address, called: Path, value: object) -> None:
    ran = 0
    for file in sorted((impostors.PACKAGE / "data" / "queries").glob("*.sql")):
        query = statement(file.stem)
        parameters: Any = defaultdict(lambda: value) if "%(" in query else [value]
        with (
            closing(database.connect(Dsn(hostile.dsn))) as connection,
            connection.cursor() as cursor,
            # Some are completed by Python, hold a literal %, or take the other kind of value:
            # commands run them.
            suppress(psycopg2.Error, IndexError, KeyError, ValueError),
        ):
            cursor.execute(query, parameters if "%" in query and "{" not in query else None)
            ran += 1
    assert not called.exists(), called.read_text()
    assert ran > QUERIES / 4
