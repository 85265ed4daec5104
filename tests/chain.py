"""The chain in tests: bring a database to a version, and read what it then holds."""

import atexit
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import psycopg2
from alembic import command

from collec_migrations import catalog as catalogs
from collec_migrations import versions
from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.catalog import Catalog
from collec_migrations.migrate import verbs
from collec_migrations.migrate.environment import alembic_config
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.connection import Connection
from tests import zygote
from tests.servers import Server
from tests.zygote import Zygote

ROOT = Path(__file__).parent.parent
VERSIONS = versions.in_chain(versions.versions_folder())
"""Every version of the chain, oldest first."""
HEAD = VERSIONS[-1]
DEFAULT = Names()
PASSWORD = "a secret of the tests"


def upgrade(address: Address, version: str = "head", **options: str) -> list[str]:
    """Bring a database to a version by the tool's engine; return what it said."""
    said: list[str] = []
    verbs.upgrade({"url": address.url, **options}, version, say=said.append)
    return said


def downgrade(address: Address, version: str, **options: str) -> list[str]:
    """Take a database back to a version by the tool's engine; return what it said."""
    said: list[str] = []
    verbs.downgrade({"url": address.url, **options}, version, say=said.append)
    return said


def move(address: Address, version: str, **options: str) -> list[str]:
    """Bring a database to a version, up or down; return what the tool said."""
    there = query(address, "select version_num from col.alembic_version")[0][0]
    ahead = VERSIONS.index(version) - VERSIONS.index(str(there))
    return (upgrade if ahead >= 0 else downgrade)(address, version, **options)


def upgrade_at(url: str, version: str = "head", **options: str) -> None:
    """Bring a database to a version, as the role that an address names."""
    verbs.upgrade({"url": url, **options}, version, say=lambda _: None)


def under(names: Names) -> dict[str, str]:
    """Return the options that name a pair of schemas."""
    return {"gacl": names.gacl, "col": quoted(names.col)}


def quoted(name: str) -> str:
    """Return a schema's name as it stands in a list of schemas, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def connected(address: Address) -> Iterator[Connection]:
    """Give a connection that is closed at the end."""
    with closing(psycopg2.connect(address.dsn)) as connection:
        connection.set_client_encoding("UTF8")
        yield connection


def catalog(address: Address, names: Names = DEFAULT) -> Catalog:
    """Return the facts of a pair of schemas."""
    with connected(address) as connection:
        return comparable(read_catalog(connection, names))


def known(version: str) -> Catalog:
    """Return the facts that a sound database of a version has, on a server without PostGIS."""
    return comparable(versions.upgraded(version))


def comparable(found: Catalog) -> Catalog:
    """Return a catalog without what depends on the server: PostGIS, home of gen_random_uuid()."""
    return catalogs.portable(found)


def template_at(server: Server, version: str) -> str:
    """Return the name of a template that the chain has brought to a version, step by step."""
    place = VERSIONS.index(version)
    before = template_at(server, VERSIONS[place - 1]) if place else None
    return server.template(f"at_{version}", lambda address: upgrade(address, version), before)


def query(address: Address, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return list(cursor.fetchall())


def execute(address: Address, sql: str) -> None:
    """Run statements and commit them."""
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        connection.commit()


KEPT = ("COLLEC_SERVER_ACCOUNT", "COLLEC_POSTGRES")
"""Variables that say what this machine has."""


def run(
    *words: str, folder: Path, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment in a folder, without the caller's own settings.

    Commands of ours are forked from a process that has imported them; not those whose variables
    say something to Python itself.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "COLLEC_")) or name in KEPT
    }
    # The wheels' servers have no PostGIS.
    environment = {**inherited, "COLLEC_WITHOUT_POSTGIS": "yes", **(variables or {})}
    if words[0] in zygote.ENTRIES and not any(name.startswith("PY") for name in variables or {}):
        done = zygote_of_worker().run(words, folder=folder, environment=environment)
        if done:
            return done
    return subprocess.run(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )


@cache
def zygote_of_worker() -> Zygote:
    """Return the process that forks for this worker."""
    made = Zygote()
    atexit.register(made.close)
    return made


def alembic(
    *words: str, url: str, folder: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command `alembic` of this project on a database."""
    return run(
        "alembic", *words, folder=folder, variables={"COLLEC_DATABASE_URL": url, **variables}
    )


def offline(span: str, **options: str) -> str:
    """Return the script that `--sql` writes for versions `from:to`."""
    written = io.StringIO()
    config = alembic_config(options, say=lambda _: None)
    config.output_buffer = written
    command.upgrade(config, span, sql=True)
    return written.getvalue()
