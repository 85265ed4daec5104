"""Whatever stands in the folder of the backups, nothing hangs: only plain files are opened."""

import os
import shutil
from pathlib import Path

import pytest

from collec_migrations.backup import dump, manifest, store
from collec_migrations.postgres.address import Address
from tests import accounts, backups, chain
from tests.conftest import Clone
from tests.servers import Server

LIMIT = 120
"""Seconds for the commands, each of which hangs without its fix."""
COMMANDS = (
    ("list",),
    ("list", "last"),
    ("verify", "last"),
    ("restore", "last", "--to", "TARGET"),
    ("prune", "--yes"),
    ("run",),
)
WITHIN = (
    manifest.NAME,
    store.VERDICT,
    store.ACCEPTED,
    store.GLOBALS,
    store.DATABASE,
    "data.dump",
)


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Address:
    return clone(backups.laboratory_at(server18, "1.0.8"))


def fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero has no end


EVERYWHERE = (*WITHIN, store.LOCK, dump.LOG)
LAID = [(fifo, name) for name in EVERYWHERE] + [
    pytest.param(device, name, marks=accounts.needs_root) for name in (manifest.NAME, dump.LOG)
]


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize(("lay", "name"), LAID)
def test_no_command_hangs(
    filled: Address, database: Address, tmp_path: Path, name: str, lay: object
) -> None:
    assert callable(lay)
    taken = backups.taken(filled, tmp_path / "original")
    for number, words in enumerate(COMMANDS):
        into = tmp_path / str(number)
        shutil.copytree(tmp_path / "original", into)
        lay(into / taken.id / name if name in WITHIN else into / name)
        command = [word.replace("TARGET", database.url) for word in words]
        done = chain.run(
            "collec-migrations", "backup", *command, "--into", str(into),
            folder=chain.ROOT, variables={"COLLEC_DATABASE_URL": filled.url},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode != 3 or done.stderr.startswith(("error:", "start")), done.stderr
        assert words[0] != "restore" or name not in WITHIN[3:] or done.returncode
