"""Fresh installation, 1.0.8 to 1.1, and a run with nothing to do, by every way, in one run.

Run it alone with: python -m benchmarks --only install,upgrade [--sizes 10000,100000]
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg2

from benchmarks import peers
from benchmarks.measuring import ROOT, Measurement, median, timed
from benchmarks.peers import alembic
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data

__all__ = ["ROOT", "alembic", "database", "dropped", "filled", "timed"]

CREATION = ("gacl_create-26.2.sql", "col_create-26.2.sql")
UPGRADE = ("upgrade-1.0.8-1.1.sql",)
REPEATS = 3
LARGE = 1_000_000
"""Movements from which on each way runs once."""


def installation(server: Address) -> Iterator[Measurement]:
    """Yield a fresh installation of 26.2, and then a run that has nothing to do, by every way."""
    with tempfile.TemporaryDirectory(prefix="collec-bench-") as folder:
        for way in peers.ways(Path(folder), CREATION):
            empty = [database(server, f"fresh_{number}") for number in range(REPEATS)]
            for address in empty:
                _execute(address, "create extension pg_trgm")  # the scripts alone expect it
            seconds = median(partial(way.run, address) for address in empty)
            yield Measurement(
                group="install", what="fresh installation of 26.2", way=way.name, seconds=seconds
            )
            if not way.name.startswith("psql"):  # which would run the scripts again
                seconds = median(partial(way.run, address) for address in empty)
                yield Measurement(
                    group="install", what="nothing to do", way=way.name, seconds=seconds
                )
            for address in empty:
                dropped(server, address)


def upgrade(server: Address, template: Address, movements: int) -> Iterator[Measurement]:
    """Yield 1.0.8 to 1.1 by every way, each on clones of a filled database."""
    with tempfile.TemporaryDirectory(prefix="collec-bench-") as folder:
        for way in peers.ways(Path(folder), UPGRADE):
            repeats = 1 if movements >= LARGE else REPEATS
            taken = []
            for _ in range(repeats):
                clone = cloned(server, template)
                way.prepare(clone)
                taken.append(timed(partial(way.run, clone)))
                arrived(clone)
                dropped(server, clone)
            yield Measurement(
                group="upgrade",
                what="1.0.8 to 1.1",
                way=way.name,
                movements=movements,
                seconds=sorted(taken)[len(taken) // 2],
            )


def arrived(address: Address) -> None:
    """Raise when a database is not at 1.1: a way that does nothing would be quick."""
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select max(dbversion_number) from col.dbversion")
        found = cursor.fetchone()
        if found != ("1.1",):
            raise RuntimeError(f"it did not arrive: {found}")


def filled(server: Address, movements: int) -> Address:
    """Make a database at 1.0.8 with laboratory data, and return its address."""
    made = database(server, f"filled_{movements}")
    alembic(made, "1.0.8")
    with closing(psycopg2.connect(made.dsn)) as connection:
        sample_data.fill(connection, Names(), movements=movements)
        connection.commit()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("vacuum analyze")
    return made


def database(server: Address, name: str, template: str = "template0") -> Address:
    """Create a database and return its address."""
    _execute(server, f'create database "{name}" template "{template}"')
    return replace(server, dbname=name)


def cloned(server: Address, template: Address) -> Address:
    """Copy a database file by file, which does not write all of it into the WAL as well."""
    statement = f'create database clone template "{template.dbname}" strategy file_copy'
    _execute(server, statement)
    return replace(server, dbname="clone")


def dropped(server: Address, address: Address) -> None:
    """Drop a database: the disk is for the next one."""
    _execute(server, f'drop database "{address.dbname}" with (force)')


def _execute(server: Address, statement: str) -> None:
    with closing(psycopg2.connect(server.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
