"""A primary is prepared and cloned by the two commands, and its standby follows."""

import os

from tests import accounts, clusters, primaries
from tests.faults import until
from tests.primaries import Prepared


def test_a_poor_primary_is_prepared_and_cloned_and_the_standby_follows(
    prepared: Prepared, name: str
) -> None:
    prepared.execute("create table if not exists sample as select generate_series(1, 1000) as id")
    port = clusters.free_port()
    planned = clusters.command(*prepared.words(name, "--listen", f":{port}"), "--plan")
    assert planned.exit_code == 0, planned.output
    assert "nothing blocks it" in planned.output
    assert not prepared.left(name)
    made = prepared.clone(name, "--listen", f":{port}")
    assert made.exit_code == 0, made.output
    assert "pg_verifybackup" in made.output
    assert prepared.left(name) == {name, f"{name}_slot"}
    prepared.execute("insert into sample values (0)")
    standby = prepared.site.address(port)
    query = "select count(*), pg_is_in_recovery() from sample"
    until(lambda: clusters.rows(standby, query) == [(1001, True)])


def test_no_password_is_anywhere_but_in_its_file(prepared: Prepared, name: str) -> None:
    seen = prepared.site.home / f"{name}.seen"
    watching = clusters.wrapped(
        prepared.site,
        "pg_basebackup",
        f"ps axww >{seen}; tr '\\0' '\\n' </proc/self/environ >>{seen}\n"
        f'"$real" "$@"; status=$?; ps axww >>{seen}; exit $status',
    )
    port = clusters.free_port()
    made = prepared.clone(name, "--listen", f":{port}", "--bindir", watching)
    assert made.exit_code == 0, made.output
    secrets = [line.rpartition(":")[2] for line in prepared.passfile.read_text().splitlines()]
    assert len(secrets) == 2
    assert all(len(one) > 20 for one in secrets)
    assert "pg_basebackup" in seen.read_text()
    for path in (seen, *prepared.site.home.rglob("*.conf"), *prepared.site.home.rglob("*.log")):
        text = path.read_text(errors="replace")
        assert not [one for one in secrets if one in text], path
    log = prepared.site.node("primary").log.read_text()
    assert "SCRAM-SHA-256$" in log  # it does log statements, and verifiers are all it saw
    assert not [one for one in secrets if one in made.output]


@accounts.needs_root
def test_an_ordinary_account_clones_for_itself(prepared: Prepared, name: str) -> None:
    who = accounts.somebody()
    home = prepared.site.home / name
    home.mkdir(mode=0o700)
    passfile = home / "pgpass"
    passfile.write_text(prepared.passfile.read_text())
    passfile.chmod(0o600)
    for path in (home, passfile):
        os.chown(path, who.uid, who.gid)
    before = prepared.site.home.stat().st_mode
    prepared.site.home.chmod(0o1777)  # the socket lies there
    words = prepared.words(f"{name}/data", "--listen", f":{clusters.free_port()}")
    words[words.index("--name") + 1] = name
    words[words.index("--passfile") + 1] = str(passfile)
    try:
        told = accounts.run(primaries.MAIN, *words, "--yes", who=who)
        assert f"{name!r} streams" in told
        assert (home / "data").stat().st_uid == who.uid
        assert "its owner cannot come in by the socket" in told
    finally:
        prepared.site.stop(f"{name}/data")
        prepared.site.home.chmod(before)


def test_a_clone_anew_moves_the_older_folder_aside_and_keeps_up_with_running_values(
    prepared: Prepared, name: str
) -> None:
    port = clusters.free_port()
    assert prepared.clone(name, "--listen", f":{port}").exit_code == 0
    prepared.site.stop(name)
    # The primary's files say less than what runs there, until it is restarted.
    prepared.alter_system("set max_connections = 20")
    try:
        again = prepared.clone(name, "--listen", f":{port}")
    finally:
        prepared.alter_system("reset max_connections")
    assert again.exit_code == 0, again.output
    assert "raised to the primary's running values: max_connections" in again.output
    (aside,) = [one for one in prepared.left(name) if ".before-" in one]
    assert (prepared.site.home / aside / "PG_VERSION").exists()
    running = clusters.rows(prepared.site.address(port), "show max_connections")
    assert running == [("100",)]
