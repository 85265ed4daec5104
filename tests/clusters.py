"""Primaries and standbys in tests: real clusters on loopback, each under the server's account."""

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from typer.testing import CliRunner, Result

from collec_migrations.cli.main import app
from collec_migrations.postgres import binaries, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.programs import Account
from collec_migrations.replica import local_node
from collec_migrations.replica.local_node import LocalNode
from tests import chain, servers

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "fsync": "off",
        "listen_addresses": "'127.0.0.1'",
        "shared_buffers": "'16MB'",
        "max_wal_size": "'128MB'",
        "min_wal_size": "'32MB'",
    }
)
POOR: Mapping[str, str] = MappingProxyType({"wal_level": "minimal", "max_wal_senders": "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A folder for clusters of one major, and how to reach them."""

    home: Path
    account: Account
    binaries: Binaries

    def node(self, name: str) -> LocalNode:
        """Return the node of a data folder below the site's."""
        return LocalNode(
            data=self.home / name,
            major=str(self.binaries.major),
            account=self.account,
            binaries=self.binaries,
            debian=None,
        )

    def address(self, port: int, dbname: str = "postgres") -> Address:
        """Return the superuser's way in, which its account and root may take."""
        return Address(host=str(self.home), port=port, user=self.account.name, dbname=dbname)

    def make(self, name: str, port: int, settings: Mapping[str, str], *options: str) -> LocalNode:
        """Make a cluster and start it."""
        node = self.node(name)
        who = (f"--username={self.account.name}", "--auth-local=peer", "--auth-host=scram-sha-256")
        node.run(
            "initdb", "-D", node.data, "--no-sync", "--locale=C", "--encoding=UTF8", *who, *options
        )
        mine = {"port": str(port), "unix_socket_directories": f"'{self.home}'"}
        lines = [f"{key} = {value}\n" for key, value in {**SETTINGS, **mine, **settings}.items()]
        with (node.data / "postgresql.conf").open("a") as file:
            file.writelines(lines)
        names = dict.fromkeys(("root", self.account.name))
        (node.data / "pg_ident.conf").write_text(
            "".join(f'all "{one}" {self.account.name}\n' for one in names)
        )
        (node.data / "pg_hba.conf").write_text(
            "# of the test\nlocal all all peer map=all\nhost all all 0.0.0.0/0 reject\n"
        )
        local_node.start(node)
        return node

    def stop(self, name: str) -> None:
        """Stop a server of the site at once, whoever owns it."""
        if (self.home / name).is_dir():
            owner = local_node.owner_of(self.home / name)
            local_node.stop(replace(self.node(name), account=owner), "immediate")


@contextmanager
def site(major: int, folder: Path | None = None) -> Iterator[Site]:
    """Give a site in a folder, whose servers are stopped at the end."""
    who = programs.server_account()
    found = binaries.reachable(servers.with_clients(major), who)
    home = Path(tempfile.mkdtemp(prefix="collec-r-", dir=folder or servers.scratch()))
    os.chown(home, who.uid, who.gid)
    made = Site(home=home, account=who, binaries=found)
    try:
        yield made
    finally:
        for pid in home.rglob("postmaster.pid"):
            with contextlib.suppress(Exception):
                made.stop(str(pid.parent.relative_to(home)))
        shutil.rmtree(home)


def free_port() -> int:
    """Return a port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*words: str | Path | int) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def rows(address: Address, query: str) -> list[tuple[Any, ...]]:  # of several types
    """Return the rows of a query."""
    with chain.connected(address) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def script(folder: Path, name: str, text: str) -> Path:
    """Write a program that takes the place of one of PostgreSQL's."""
    path = folder / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def wrapped(site: Site, name: str, text: str) -> Path:
    """Return a folder with the programs of a site, one of which is a script; `$real` is the former.

    The server's account can reach it.
    """
    folder = Path(tempfile.mkdtemp(prefix="bin-", dir=site.home))
    folder.chmod(0o755)
    for program in site.binaries.bin_dir.iterdir():
        (folder / program.name).symlink_to(program)
    script(folder, name, f"real={site.binaries.program(name)}\n{text}")
    return folder
