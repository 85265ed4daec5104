"""The sites in which the pages are run: a folder, a server, a database called `collec`."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from collec_migrations import versions
from collec_migrations.names import Names
from collec_migrations.postgres import embedded
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.docs.pages import ROOT
from tests.servers import Server

DATABASE = "collec"
BARE = "no server"
"""No PostgreSQL on the path, no variable of libpq; an empty folder."""
MOVEMENTS = 60
PLACES = ("/var/www/collec-science", "/var/www/collec", "/srv/backups", "/srv/scratch")
"""Folders that the pages name; here they are below the site's own."""
APPLICATION = """<?php
$APPLI_dbversion = "1.1";
$BDD_login = "{user}";
$BDD_dsn = "pgsql:host={host};port={port};dbname=collec";
$BDD_schema = "col,gacl,public";
$GACL_dsn = $BDD_dsn;
$GACL_schema = "gacl,public";
"""
INI = f"""[alembic]
script_location = collec_migrations:migrate/alembic
version_locations = {ROOT}/versions:%(here)s/collec-versions
path_separator = os
"""
LATER = """set search_path = col;
create table sample_note (sample_note_id serial primary key, note varchar not null);
insert into dbversion (dbversion_number, dbversion_date) values ('27.0', '2027-01-01');
"""
Prepare = Callable[["Site"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a page is run."""

    folder: Path
    server: Server
    bare: bool = False

    def as_it_is(self, text: str) -> str:
        """Return a command with this machine's folders for those that the page names."""
        return re.sub("|".join(PLACES), lambda found: f"{self.folder.parent}{found[0]}", text)

    def as_the_page_says(self, text: str) -> str:
        """Return what was written, with the folders that the page names."""
        text = text.replace(str(ROOT), "/srv/collec-migrations")
        return text.replace(str(self.folder.parent), "")

    def place(self, name: str) -> Path:
        """Return a folder that the page names, made if it is missing."""
        path = Path(f"{self.folder.parent}{name}")
        path.mkdir(parents=True, exist_ok=True)
        return path


def _bare(site: Site) -> None:
    """Leave the folder empty: the page brings the server."""
    (site.folder / "alembic.ini").unlink()


def _nothing(site: Site) -> None:
    """Leave the server as it is."""


def _empty(site: Site) -> None:
    site.server.create_database(DATABASE)


def _at(version: str) -> Prepare:
    def build(address: Address) -> None:
        with chain.connected(address) as connection:
            sample_data.fill(connection, Names(), movements=MOVEMENTS)
            connection.commit()

    def prepare(site: Site) -> None:
        bare = chain.template_at(site.server, version)
        filled = site.server.template(f"manual_{version}", build, bare)
        site.server.create_database(DATABASE, filled)

    return prepare


def _old(site: Site) -> None:
    """Make a database of 1.0.8 that lacks a constraint and was never adopted."""
    _at("1.0.8")(site)
    address = _address(site)
    chain.execute(
        address,
        "drop table col.alembic_version, col.migration_history, gacl.migration_history;"
        "alter table col.storage drop constraint object_storage_fk",
    )
    parameters = site.place("/var/www/collec/param") / "param.inc.php"
    parameters.write_text(
        APPLICATION.format(user=address.user, host=address.host, port=address.port)
    )


def _later(site: Site) -> None:
    """Make a database of the newest version beside an application that ships a later script."""
    newest = versions.in_chain()[-1]
    _at(newest)(site)
    scripts = site.place("/var/www/collec-science/install/pgsql")
    (scripts / f"col_alter_{newest}-27.0.sql").write_text(LATER)


def _address(site: Site) -> Address:
    return replace(site.server.address, dbname=DATABASE)


STATES: Mapping[str, Prepare] = MappingProxyType(
    {
        "": _nothing,
        BARE: _bare,
        "empty database": _empty,
        "database at 1.0.8": _at("1.0.8"),
        "database at 1.1": _at("1.1"),
        "old database, not adopted": _old,
        "newest database, script of 27.0": _later,
    }
)
"""What a page can ask for in its comment `<!-- state: ... -->`."""


@contextmanager
def prepared(state: str, server: Server, folder: Path) -> Iterator[Site]:
    """Give a site in the state that a page asks for; drop the databases that the page makes."""
    site = Site(folder=folder / "site", server=server, bare=state == BARE)
    site.folder.mkdir()
    (site.folder / "alembic.ini").write_text(INI)
    server.drop_database(DATABASE)  # every server of ours begins with an empty one
    before = _databases(server)
    try:
        STATES[state](site)
        yield site
    finally:
        if site.bare:
            embedded.stop(site.folder)
        for name in _databases(server) - before - _templates(server):
            server.drop_database(name)
        server.create_database(DATABASE)


def _databases(server: Server) -> set[str]:
    rows = chain.query(server.address, "select datname::text from pg_database")
    return {str(name) for (name,) in rows}


def _templates(server: Server) -> set[str]:
    return {name for name in _databases(server) if name.startswith("template_")}
