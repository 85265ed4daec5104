"""A server as distributions make it: superuser `postgres`, SCRAM, every statement logged."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn

from collec_migrations.postgres import binaries, configuration, programs
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.throwaway import FAST, SUPERUSER, throwaway

SETTINGS = {**FAST, "log_statement": "all", "password_encryption": "scram-sha-256"}
RULES = """\
# PostgreSQL Client Authentication Configuration File
# TYPE  DATABASE        USER            ADDRESS                 METHOD

local   all             postgres                                peer map=admin
# IPv4 local connections:
local   all             all                                     scram-sha-256
host    all             all             127.0.0.1/32            scram-sha-256
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server of its own, with the files that its administrator edits."""

    folder: Path
    """Of the socket, the log and the access rules."""
    port: int
    binaries: Binaries

    @property
    def hba(self) -> Path:
        """Return the file of the access rules."""
        return self.folder / "pg_hba.conf"

    @property
    def log(self) -> str:
        """Return all that the server wrote."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def address(self, dbname: str = "postgres") -> Address:
        """Return where the superuser comes in."""
        return Address(
            str(make_dsn(host=str(self.folder), port=self.port, user="postgres", dbname=dbname))
        )

    def tcp(self, user: str, password: str, dbname: str) -> str:
        """Return a connection string with a password."""
        return str(
            make_dsn(host="127.0.0.1", port=self.port, user=user, password=password, dbname=dbname)
        )

    @contextmanager
    def admin(self, dbname: str = "postgres") -> Iterator[Connection]:
        """Give a session of the superuser that commits each statement."""
        with closing(self.reconnect(dbname)) as session:
            session.autocommit = True
            yield session

    def reconnect(self, dbname: str = "postgres") -> Connection:
        """Open a session of the superuser."""
        return database.connect(self.address(dbname))

    def execute(self, sql: str, dbname: str = "postgres") -> None:
        """Run statements, each by itself."""
        with self.admin(dbname) as session, session.cursor() as cursor:
            cursor.execute(sql)

    def query(self, sql: str, dbname: str = "postgres") -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        with self.admin(dbname) as session, session.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def put_rules(self, text: str) -> None:
        """Let the server live under other access rules."""
        self.hba.write_text(text)
        with self.admin() as session:
            configuration.reload(session, self.reconnect)


@contextmanager
def running(major: int) -> Iterator[Site]:
    """Give a server of a major version."""
    found = binaries.find(major)
    with throwaway(found, tcp=True, settings=SETTINGS) as address:
        site = Site(folder=Path(address.host), port=address.port, binaries=found)
        names = {"root", programs.server_account().name}
        (site.folder / "pg_ident.conf").write_text(
            "".join(f"{map_} {name} {role}\n" for name in sorted(names)
                    for map_, role in (("collec", SUPERUSER), ("admin", "postgres")))
        )  # fmt: skip
        site.hba.write_text(f"local all {SUPERUSER} peer map=collec\n{RULES}")
        with closing(psycopg2.connect(address.dsn)) as session:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute("create role postgres superuser login createdb createrole")
            configuration.reload(session, lambda: psycopg2.connect(address.dsn))
        site.execute("drop database collec")
        site.put_rules(RULES)
        yield site
