"""A primary that was prepared for standbys, shared by tests that clone it."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from typer.testing import Result

from collec_migrations.postgres.address import Address
from collec_migrations.replica import local_node
from tests import chain, clusters
from tests.clusters import Site
from tests.faults import until

MAIN = "from collec_migrations.cli.main import main; main()"
"""The command line, for a process of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A primary that `replica primary` prepared, and the password file that it wrote."""

    site: Site
    port: int
    passfile: Path

    @property
    def address(self) -> Address:
        """The superuser's way in."""
        return self.site.address(self.port)

    def words(self, name: str, *more: str | Path | int) -> list[str]:
        """Return the command that clones into the folder of a name."""
        return [
            *("replica", "clone", f"postgresql://127.0.0.1:{self.port}"),
            *("--data", str(self.site.home / name), "--name", name),
            *("--passfile", str(self.passfile), *map(str, more)),
        ]

    def clone(self, name: str, *more: str | Path | int) -> Result:
        """Clone, and return what the command said."""
        return clusters.command(*self.words(name, *more), "--yes")

    def slots(self) -> set[str]:
        """Return the slots of the primary."""
        found = clusters.rows(self.address, "select slot_name from pg_replication_slots")
        return {str(name) for (name,) in found}

    def left(self, name: str) -> set[str]:
        """Return what there is of a clone: its folders and files, and its slot."""
        there = {path.name for path in self.site.home.iterdir() if path.name.startswith(name)}
        return there | (self.slots() & {f"{name}_slot"})

    def remove(self, name: str) -> None:
        """Stop a standby, and remove all of it with its slot."""
        self.site.stop(name)
        for path in self.site.home.glob(f"{name}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if f"{name}_slot" in self.slots():
            until(lambda: not self._uses_slot(name))
            self.execute(f"select pg_drop_replication_slot('{name}_slot')")

    def _uses_slot(self, name: str) -> bool:
        query = f"select active from pg_replication_slots where slot_name = '{name}_slot'"
        return bool(clusters.rows(self.address, query)[0][0])

    def execute(self, statement: str) -> None:
        """Run a statement on the primary."""
        chain.execute(self.address, statement)

    def alter_system(self, what: str) -> None:
        """Change the settings of the primary's files."""
        node = self.site.node("primary")
        where = self.address.dsn
        node.run("psql", "-Xqw", "-d", where, "-c", f"alter system {what}")

    def reload(self) -> None:
        """Let the primary read its files, and return when it has."""
        query = "select pg_conf_load_time()"
        before = clusters.rows(self.address, query)
        self.execute("select pg_reload_conf()")
        until(lambda: clusters.rows(self.address, query) != before)


def prepare(site: Site, settings: Mapping[str, str] = MappingProxyType({})) -> Prepared:
    """Make a poor primary, prepare it by the command, and see that it says what is to be done."""
    port = clusters.free_port()
    options = ["--no-data-checksums"] if site.binaries.major >= 18 else []
    site.make("primary", port, {**clusters.POOR, "log_statement": "all", **settings}, *options)
    passfile = site.home / "replica.pgpass"
    words = ("replica", "primary", "127.0.0.1", "--url", site.address(port).url)
    told = clusters.command(*words, "--plan")
    assert told.exit_code == 1, told.output
    for missing in ("wal_level is minimal", "max_wal_senders is 0", "wal_log_hints is off"):
        assert f"missing: {missing}" in told.output
    for missing in ("role rep", "role rewind", "pg_hba.conf"):
        assert f"missing: {missing}" in told.output
    caps = site.binaries.major >= 13
    assert ("missing: max_slot_wal_keep_size is -1" in told.output) is caps
    assert "a restart is due for wal_level, max_wal_senders, wal_log_hints" in told.output
    assert not passfile.exists()
    applied = clusters.command(*words, "--passfile", passfile, "--yes")
    assert applied.exit_code == 1, applied.output
    assert "restart PostgreSQL: max_wal_senders, wal_level, wal_log_hints" in applied.output
    assert passfile.stat().st_mode & 0o777 == 0o600
    os.chown(passfile, site.account.uid, site.account.gid)
    site.stop("primary")
    local_node.start(site.node("primary"))
    ready = clusters.command(*words, "--plan")
    assert ready.exit_code == 0, ready.output
    assert "nothing is missing" in ready.output
    return Prepared(site=site, port=port, passfile=passfile)
