"""The manual's ways off-site, by the programs themselves: two databases, two nights each."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collec_migrations.backup import manifest, store
from collec_migrations.postgres.address import Address
from tests import backups, chain
from tests.servers import Server

PAGE = (chain.ROOT / "docs" / "backups.md").read_text("utf-8")
PROGRAM = str(Path(sys.executable).parent / "collec-migrations")
DATABASES = ("night_one", "night_two")
REMOTE = "lab:backups"
"""As the manual calls it; each program has its own way to say where that is."""


def example(program: str) -> str:
    """Return the manual's command for a program."""
    found = re.search(rf"--offsite '({program} [^']*)'", PAGE)
    assert found, f"docs/backups.md has no example for {program}"
    return found[1]


def run(*words: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rclone(folder: Path) -> tuple[str, dict[str, str], Callable[[Path], None]]:
    configuration = folder / "rclone.conf"
    configuration.write_text(f"[lab]\ntype = alias\nremote = {folder}/remote\n")
    environment = {"RCLONE_CONFIG": str(configuration)}

    def back(target: Path) -> None:
        run("rclone", "copy", REMOTE, str(target), environment=environment)

    return example("rclone"), environment, back


def rsync(folder: Path) -> tuple[str, dict[str, str], Callable[[Path], None]]:
    remote = folder / "remote"
    remote.mkdir()

    def back(target: Path) -> None:
        shutil.copytree(remote, target)

    return example("rsync").replace("lab:/srv/backups", str(remote)), {}, back


def restic(folder: Path) -> tuple[str, dict[str, str], Callable[[Path], None]]:
    environment = {
        "RESTIC_REPOSITORY": str(folder / "remote"),
        "RESTIC_PASSWORD": "example",
        "RESTIC_CACHE_DIR": str(folder / "cache"),
    }
    run("restic", "init", environment=environment)

    def back(target: Path) -> None:
        listed = run("restic", "snapshots", "--json", environment=environment)
        for name in re.findall(r'"short_id": ?"(\w+)"', listed):
            run("restic", "restore", name, "--target", str(folder / "all"), environment=environment)
        target.mkdir()
        for path in (folder / "all").rglob(manifest.NAME):
            shutil.copytree(path.parent, target / path.parent.name)

    return example("restic"), environment, back


def borg(folder: Path) -> tuple[str, dict[str, str], Callable[[Path], None]]:
    environment = {
        "BORG_REPO": str(folder / "remote"),
        "BORG_BASE_DIR": str(folder),
        "BORG_PASSPHRASE": "example",
    }
    run("borg", "init", "--encryption=repokey", environment=environment)

    def back(target: Path) -> None:
        everything = folder / "all"
        everything.mkdir()
        for name in run("borg", "list", "--short", environment=environment).split():
            command = f"cd {everything} && borg extract ::{name}"
            run("sh", "-c", command, environment=environment)
        target.mkdir()
        for path in everything.rglob(manifest.NAME):
            shutil.copytree(path.parent, target / path.parent.name)

    return example("borg"), environment, back


@pytest.mark.parametrize("prepare", [rclone, rsync, restic, borg], ids=lambda one: one.__name__)
def test_every_night_of_every_database_is_there_and_whole(
    server18: Server,
    tmp_path: Path,
    prepare: Callable[[Path], tuple[str, dict[str, str], Callable[[Path], None]]],
) -> None:
    name = prepare.__name__
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    command, environment, back = prepare(tmp_path)
    into, address = tmp_path / "here", server18.address
    for database in DATABASES:
        _create(address, database)
    try:
        for _night in range(2):
            for database in DATABASES:
                words = (PROGRAM, "backup", "run", "--into", str(into), "--offsite", command)
                url = replace(address, dbname=database).url
                run(*words, "--url", url, environment=environment)
    finally:
        for database in DATABASES:
            server18.drop_database(database)
    back(tmp_path / "back")
    whole, broken = store.backups(into)
    there, none = store.backups(tmp_path / "back")
    assert [one.id for one in there] == [one.id for one in whole]
    assert (len(there), broken, none) == (4, (), ())
    assert [problem for one in there for problem in store.problems(one)] == []


def _create(server: Address, name: str) -> None:
    backups.execute_alone(replace(server, dbname="postgres"), f"create database {name}")
    chain.execute(replace(server, dbname=name), f"create table {name} (id int)")
