"""Access rules on a real server: on trial, and the old ones back after any failure."""

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from collec_migrations.errors import (
    ConfigurationElsewhere,
    ConfigurationNotRestored,
    HbaRefused,
    MigrationError,
)
from collec_migrations.postgres import configuration, hba, programs
from collec_migrations.postgres.configuration import Block
from collec_migrations.postgres.hba import Proof
from tests import accounts, sites
from tests.accounts import needs_root
from tests.faults import until
from tests.security.test_names import ODD
from tests.sites import Site

OURS = Block(name="test", lines=("local nowhere nobody reject",))


def put(site: Site, block: Block = OURS, *proofs: Proof) -> hba.Applied:
    with site.admin() as session:
        return hba.apply(session, block, reconnect=site.reconnect, proofs=proofs)


def copies(site: Site) -> list[Path]:
    return list(site.folder.glob("pg_hba.conf.*"))


def fail() -> None:
    raise MigrationError("it does not hold", hint="look")


def test_the_block_is_loaded_and_proved_and_the_old_file_kept_beside(site_server: Site) -> None:
    before = site_server.hba.stat()
    proved: list[str] = []
    done = put(site_server, OURS, Proof(name="a proof", check=lambda: proved.append("yes")))
    assert done.changed
    assert proved == ["yes"]
    assert OURS.text in site_server.hba.read_text()
    after = site_server.hba.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid, before.st_gid, before.st_mode,
    )  # fmt: skip
    assert done.copy
    assert done.copy.read_text() == sites.RULES
    assert done.copy.stat().st_mode == before.st_mode
    assert put(site_server) == hba.Applied(file=site_server.hba, changed=False)
    assert copies(site_server) == [done.copy]


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_owner_and_mode_stay(site18: Site, mode: int) -> None:
    site18.hba.chmod(mode)
    put(site18)
    assert stat.S_IMODE(site18.hba.stat().st_mode) == mode
    site18.hba.chmod(0o600)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (Block(name="test", lines=("local all all no-such-method",)), "invalid authentication"),
        (Block(name="test", lines=("local all",)), "end-of-line|before"),
        (Block(name="test", lines=("local all all reject",)), "cannot connect"),
    ],
    ids=["method", "half", "locks the administrator out"],
)
def test_rules_that_do_no_good_never_stay(site_server: Site, block: Block, why: str) -> None:
    with pytest.raises(HbaRefused, match=f"(?s)({why}).*as it was"):
        put(site_server, block)
    assert site_server.hba.read_text() == sites.RULES
    assert copies(site_server) == []
    site_server.reconnect().close()


def test_a_proof_that_fails_takes_everything_back(site_server: Site) -> None:
    seen: list[str] = []

    def check() -> None:
        seen.append(site_server.hba.read_text())
        fail()

    with pytest.raises(HbaRefused, match="a proof: it does not hold") as caught:
        put(site_server, OURS, Proof(name="a proof", check=check))
    assert caught.value.hint == "look"
    assert OURS.text in seen[0]
    assert site_server.hba.read_text() == sites.RULES


def test_a_file_that_is_faulty_already_is_left_alone(site_server: Site) -> None:
    faulty = f"{sites.RULES}host collec collec md5\n"
    site_server.hba.write_text(faulty)
    with pytest.raises(HbaRefused, match=r"faulty already.*line 8"):
        put(site_server)
    assert site_server.hba.read_text() == faulty


KILLED = """
import os, sys, time
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres import connection
from collec_migrations.postgres import hba as applying
from collec_migrations.postgres.hba import Proof
from collec_migrations.postgres.configuration import Block
def reconnect():
    return connection.connect(Address(sys.argv[1]))
def wait():
    print("on trial", flush=True)
    time.sleep(60)
block = Block(name="test", lines=("local nowhere nobody reject",))
applying.apply(reconnect(), block, reconnect=reconnect, proofs=[Proof(name="p", check=wait)])
"""


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name
)
def test_the_old_file_comes_back_and_is_loaded_when_we_are_killed(
    site18: Site, number: signal.Signals
) -> None:
    with accounts.spawn(KILLED, site18.address().dsn) as process:
        assert process.stdout
        assert process.stdout.readline() == "on trial\n"
        assert OURS.text in site18.hba.read_text()
        (loaded,) = site18.query("select pg_conf_load_time()")
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=30)
    if number != signal.SIGKILL:
        assert f"ended by {number.name}" in err
    until(lambda: site18.hba.read_text() == sites.RULES)
    until(lambda: site18.query("select pg_conf_load_time()") > [loaded])
    until(lambda: copies(site18) == [])


@needs_root
@pytest.mark.parametrize("role", ["server", "stranger"])
def test_who_may_write_the_file(site18: Site, role: str) -> None:
    code = KILLED.replace("time.sleep(60)", "pass")
    who = programs.server_account() if role == "server" else accounts.somebody()
    if role == "stranger":
        with pytest.raises(AssertionError, match="Permission denied"):
            accounts.run(code, site18.address().dsn, who=who)
        return
    before = site18.hba.stat()
    assert accounts.run(code, site18.address().dsn, who=who) == "on trial\n"
    assert OURS.text in site18.hba.read_text()
    assert site18.hba.stat().st_uid == before.st_uid


def test_a_file_that_is_not_here_is_told_with_the_lines(site18: Site, tmp_path: Path) -> None:
    with site18.admin() as session:
        assert configuration.local(session, site18.hba) == site18.hba
        site18.hba.rename(tmp_path / "moved")
        try:
            with pytest.raises(ConfigurationElsewhere) as caught:
                put(site18)
        finally:
            (tmp_path / "moved").rename(site18.hba)
    assert OURS.text.strip() in caught.value.hint


NAMES = ["collec", "Collec", *configuration.KEYWORDS, "two words", 'quo"te', "#x", "a,b", "@file",
         "+group", "é", "a\\", *ODD]  # fmt: skip


def test_any_name_is_one_name_for_the_server(site_server: Site) -> None:
    quoted = [configuration.quoted_name(name) for name in NAMES]
    lines = "".join(f"local {name} {name} scram-sha-256\n" for name in quoted)
    site_server.hba.write_text(sites.RULES + lines)
    told = site_server.query(
        "select database, user_name from pg_hba_file_rules where auth_method = 'scram-sha-256'"
        " and error is null order by line_number"
    )
    assert told[-len(NAMES) :] == [([name], [name]) for name in NAMES]
    assert all(configuration.quoted_name(one).startswith('"') for one in configuration.KEYWORDS)


def test_a_line_for_tls_that_can_never_match_is_no_fault(site_server: Site) -> None:
    site_server.put_rules(f"{sites.RULES}hostssl all all all scram-sha-256\n")
    assert site_server.query("select count(*) from pg_hba_file_rules where error like '%SSL%'")
    assert put(site_server).changed


@needs_root
def test_a_file_that_cannot_be_replaced_is_told_and_leaves_nothing(site18: Site) -> None:
    mounted = subprocess.run(["mount", "--bind", str(site18.hba), str(site18.hba)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount")
    try:
        with pytest.raises(ConfigurationElsewhere, match="busy") as caught:
            put(site18)
    finally:
        subprocess.run(["umount", str(site18.hba)], check=True)
    assert caught.value.hint.startswith("Put these lines")
    assert site18.hba.read_text() == sites.RULES
    assert copies(site18) == []


@needs_root
def test_a_file_that_cannot_be_put_back_is_told_with_its_copy(site18: Site) -> None:
    file = str(site18.hba)

    def hold() -> None:
        subprocess.run(["mount", "--bind", file, file], check=True, capture_output=True)
        fail()

    try:
        with pytest.raises(ConfigurationNotRestored) as caught:
            put(site18, OURS, Proof(name="a proof", check=hold))
    except subprocess.CalledProcessError:
        pytest.skip("this machine does not let us mount")
    finally:
        subprocess.run(["umount", file], check=False, capture_output=True)
    (copy,) = copies(site18)
    assert caught.value.hint == f"Put it back yourself: mv {copy} {file}"
    assert copy.read_text() == sites.RULES


def test_a_line_for_a_standby_lets_it_in(site_server: Site) -> None:
    site_server.execute("create role rep login replication password 'x'")
    try:
        site_server.put_rules("local all postgres peer map=admin\n")
        block = Block(name="replica", lines=("host replication rep 127.0.0.1/32 scram-sha-256",))
        assert "no pg_hba.conf entry" in replicates(site_server)
        put(site_server, block)
        assert replicates(site_server) == ""
    finally:
        site_server.execute("drop role rep")


def replicates(site: Site) -> str:
    """Return why the server refuses a standby; empty when it comes in."""
    words = f"host=127.0.0.1 port={site.port} user=rep replication=true"
    done = subprocess.run(
        [str(site.binaries.program("psql")), "-Xw", "-d", words, "-c", "IDENTIFY_SYSTEM"],
        env={**programs.environment(), "PGPASSWORD": "x"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.stderr
