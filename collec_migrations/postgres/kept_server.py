"""A server that outlives us, in a folder of its own, until somebody ends it."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.postgres import (
    account,
    binary_copies,
    cluster,
    launch,
    psql,
    temporary,
    throwaway,
)
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A server, and how to end it."""

    address: Address
    cluster: Cluster

    @property
    def ending(self) -> str:
        """Return the command that stops the server and removes its folder."""
        home = shlex.quote(str(self.cluster.home))
        program = shlex.quote(str(self.cluster.binaries.program("pg_ctl")))
        stop = f"{program} -D {home}/data -m immediate stop"
        if not self.cluster.account.is_caller:
            stop = f"runuser -u {self.cluster.account.name} -- {stop}"
        return f"cd / && {stop} && rm -r {home}"


def start(binaries: Binaries, folder: Path | None = None) -> Kept:
    """Make and start a server for whoever may enter its folder."""
    who = account.for_server()
    home, descriptor = throwaway.new_home(folder, who)
    (home / temporary.MARK).unlink()  # it outlives us: nobody may take it for a leftover
    os.close(descriptor)
    reachable = binary_copies.reachable(binaries, who)
    made = Cluster(home=home, binaries=reachable, account=who, superuser=throwaway.SUPERUSER)
    cluster.make(made, "--no-sync")
    address = cluster.start(made, launch.command(made, throwaway.FAST))
    psql.ensure_database(made.binaries, address)
    return Kept(address=address, cluster=made)
