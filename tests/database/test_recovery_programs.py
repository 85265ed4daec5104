"""The configurations for point-in-time recovery work: each is tried by the program it is for."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from collec_migrations.backup import pitr
from collec_migrations.backup.pitr import Advice
from collec_migrations.postgres import binaries, conninfo, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.throwaway import throwaway
from tests import chain, faults

HBA = """local all all trust
host all all 127.0.0.1/32 scram-sha-256
host replication streaming_barman 127.0.0.1/32 scram-sha-256
"""
ARCHIVED = """select last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1)
from pg_stat_archiver"""
WHO = programs.server_account()


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a folder of the server's account."""
    folder = Path(mkdtemp(prefix="collec-test-"))
    shutil.chown(folder, WHO.uid, WHO.gid)
    yield folder
    shutil.rmtree(folder)


def known_to(tool: str) -> Binaries:
    """Return the newest server on this machine that the installed tool knows."""
    if shutil.which(pitr.PROGRAMS[tool]) is None:
        pytest.skip(f"{tool} is not installed")
    its = pitr.version(tool)
    assert its, "it does not tell its version"
    since = pitr.SINCE[tool]
    for one in sorted(binaries.at_hand(), key=lambda one: -one.major):
        if its >= since.get(int(one.major), ()):
            return one
    pytest.skip(f"{tool} {its} knows no server of this machine")


def advice(tool: str, server: Address) -> Advice:
    """Return what `backup pitr` prints."""
    about = pitr.read_server(conninfo.Address(server.dsn))
    return pitr.advise(tool, about, pitr.version(tool))


def parts(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the file that an advice holds, and the commands after it."""
    file, _, then = text.partition("# then, as ")
    commands = then.partition("# back to a moment")[0].splitlines()[1:]
    return "[" + file.partition("[")[2], tuple(commands)


def run(command: str, home: Path, **variables: str) -> str:
    """Run a line of an advice as the server's account; it has to succeed."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=False,
        **WHO.identity(),
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_pgbackrest_takes_its_configuration(home: Path) -> None:
    server = known_to("pgbackrest")
    file = home / "pgbackrest.conf"
    push = f"env PGBACKREST_CONFIG={file} pgbackrest --stanza=collec archive-push %p"
    with throwaway(server, settings={"archive_mode": "on", "archive_command": push}) as address:
        told = advice("pgbackrest", replace(address, dbname="postgres"))
        assert told.problems == ()
        text, commands = parts(told.text)
        own = f"log-path={home}\nlock-path={home}\nspool-path={home}\n"
        own += f"[collec]\npg1-user={address.user}"
        file.write_text(
            text.replace("/var/lib/pgbackrest", str(home / "repo")).replace("[collec]", own)
        )
        file.chmod(0o644)
        assert [command.split()[-1] for command in commands] == [
            "stanza-create", "check", "backup", "info"
        ]  # fmt: skip
        for command in commands:
            told_last = run(command, home, PGBACKREST_CONFIG=str(file))
        assert "status: ok" in told_last
        chain.execute(address, "create table made_before as select now() as at")
        # pgBackRest knows the end of a backup to the second.
        later = "select now() > date_trunc('second', at) + interval '1 s' from made_before"
        faults.until(lambda: chain.query(address, later) == [(True,)])
        (moment,) = chain.query(address, "select now()")[0]
        chain.execute(address, "create table made_later ()")
        chain.execute(address, "select pg_switch_wal()")
        (*_, back) = told.text.splitlines()
        back = back.replace("YYYY-MM-DD HH:MM:SS", str(moment))
        data = home / "restored"
        data.mkdir(0o700)
        shutil.chown(data, WHO.uid, WHO.gid)
        faults.until(lambda: chain.query(address, ARCHIVED) == [(True,)])
    run(f"{back} --pg1-path={data}", home, PGBACKREST_CONFIG=str(file))
    (data / "pg_hba.conf").write_text("local all all trust\n")
    ctl = f"{server.program('pg_ctl')} -D {data} -l {home}/restored.log -w"
    run(f"{ctl} -o '-c listen_addresses= -k {home} -c archive_mode=off' start", home,
        PGBACKREST_CONFIG=str(file))  # fmt: skip
    try:
        there = replace(address, host=str(home))
        faults.until(lambda: chain.query(there, "select pg_is_in_recovery()") == [(False,)])
        query = "select to_regclass('made_before') is null, to_regclass('made_later') is null"
        assert chain.query(there, query) == [(False, True)]
    finally:
        run(f"{ctl} -m immediate stop", home)


@pytest.mark.soak  # Barman looks for WAL every ten seconds
def test_barman_takes_its_configuration(home: Path) -> None:
    server = known_to("barman")
    hba = home / "pg_hba.conf"
    hba.write_text(HBA)
    hba.chmod(0o644)
    with throwaway(server, settings={"hba_file": str(hba)}, tcp=True) as address:
        address = replace(address, dbname="postgres")
        told = advice("barman", address)
        assert told.problems == ()
        text, commands = parts(told.text)
        roles = told.text.partition("# /etc/barman.d")[0]
        chain.execute(address, "\n".join(line for line in roles.splitlines() if line[0] != "#"))
        chain.execute(address, "alter role barman password 'b'")
        chain.execute(address, "alter role streaming_barman password 's'")
        configuration(home, text, server)
        program = f"barman -c {home / 'barman.conf'} "
        try:
            first, *others = (command.replace("barman ", program, 1) for command in commands)
            run(first, home)
            wait_for_receiver(address)
            for command in others:
                shown = run(command, home)
            assert "FAILED" not in shown
        finally:
            run(f"{program}receive-wal --stop collec", home)


def configuration(home: Path, text: str, server: Binaries) -> None:
    """Write what an installed Barman has in /etc and in its home."""
    own = (
        f"[barman]\nbarman_user={WHO.name}\nbarman_home={home}\nlog_file={home / 'log'}\n"
        f"barman_lock_directory={home}\npath_prefix={server.bin_dir}\n"
    )
    file = home / "barman.conf"
    file.write_text(own + text.replace("host=SERVER", "host=127.0.0.1"))
    file.chmod(0o644)
    passwords = home / ".pgpass"
    passwords.write_text("*:*:*:barman:b\n*:*:*:streaming_barman:s\n")
    passwords.chmod(0o600)
    shutil.chown(passwords, WHO.uid, WHO.gid)


def wait_for_receiver(address: Address) -> None:
    """Wait until Barman receives WAL, which its `cron` starts in the background."""
    deadline = time.monotonic() + 60
    while not chain.query(address, "select 1 from pg_stat_replication where state = 'streaming'"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
