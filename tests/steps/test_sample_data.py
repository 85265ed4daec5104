"""Sample data of any version goes up to the newest and back to 1.1: nothing stops it."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import extensions

from collec_migrations.names import Names
from collec_migrations.testing import sample_data
from tests.servers import Server

CHAIN = (
    *("1.1", "1.2", "1.2.3", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8"),
    *("2.8.1", "24.0", "24.1", "25.0", "26.0", "26.1", "26.2"),
)

FOLDER = Path(__file__).parent.parent.parent / "legacy_sql"


@contextmanager
def installed(server: Server) -> Iterator[extensions.connection]:
    with server.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("create extension pg_trgm schema public; set search_path to public")
            for name in ("gacl_create-1.1", "col_create-1.1"):
                cursor.execute((FOLDER / f"{name}.sql").read_text("utf-8"))
        yield connection


def step(connection: extensions.connection, way: str, before: str, after: str) -> None:
    """Ask what stops the step, then run its script."""
    asked = FOLDER / f"check-{way}-{before}-{after}.sql"
    text = asked.read_text("utf-8") if asked.exists() else ""
    with connection.cursor() as cursor:
        cursor.execute("set search_path to public")
        for message, query in re.findall(
            r"^-- stop: (.+)\n-- hint: .+\n(select[^;]+);", text, re.M
        ):
            cursor.execute(query)
            assert cursor.fetchall() == [], message
        cursor.execute((FOLDER / f"{way}-{before}-{after}.sql").read_text("utf-8"))


@pytest.mark.parametrize("version", ["1.1", "2.0", "2.5", "2.8.1", "24.0", "26.2"])
def test_rows_of_a_version_go_up_and_back(server18: Server, version: str) -> None:
    at = CHAIN.index(version)
    with installed(server18) as connection:
        for before, after in pairwise(CHAIN[: at + 1]):
            step(connection, "upgrade", before, after)
        sample_data.fill(connection, Names(), movements=100)
        for before, after in pairwise(CHAIN[at:]):
            step(connection, "upgrade", before, after)
        # Deferred foreign keys are looked at here.
        connection.commit()
        for before, after in pairwise(CHAIN[::-1]):
            step(connection, "downgrade", before, after)
