"""`replica status` and `replica runbook`: forms, exit statuses, rights, and what is never told."""

import json
import signal
from pathlib import Path
from typing import IO

import psycopg2

from tests import accounts
from tests.database.test_replica_life import replica
from tests.proxy import proxy
from tests.standbys import SECRET, Machine, Pair, until

MAIN = "from collec_migrations.cli.main import main; main()"


def test_status_in_every_form(pair18: Pair) -> None:
    pair = pair18
    until(lambda: pair.report().verdict == "ok")
    status, told = replica("status", *pair.options)
    assert status == 0
    assert [line.split()[:2] for line in told.splitlines()[1:]] == [
        ["a", "primary"],
        ["b", "standby"],
    ]
    status, told = replica("status", *pair.options, "--nagios")
    assert status == 0
    assert told.startswith("REPLICA OK - a: primary on timeline 1; b: standby")
    assert "| 'b bytes'=" in told
    status, told = replica("status", *pair.options, "--prometheus")
    assert status == 0
    assert 'collec_replica_verdict{node="b"} 0\n' in told
    assert 'collec_replica_lag_bytes{node="b"} ' in told
    pair.b.sql("select pg_wal_replay_pause()")
    until(lambda: pair.b.value("select pg_is_wal_replay_paused()"))
    status, told = replica("status", *pair.options, "--json")
    facts = json.loads(told)
    assert status == 1
    assert facts["verdict"] == facts["nodes"][1]["verdict"] == "attention"
    assert facts["nodes"][1]["findings"][0]["code"] == "replay-paused"
    status, told = replica("status", *pair.options, "--nagios")
    assert status == 1
    assert told.startswith("REPLICA WARNING - b: replay is paused")
    pair.a.crash()
    assert replica("status", *pair.options)[0] == 3
    status, told = replica("status", *pair.options, "--nagios")
    assert status == 2
    assert told.startswith("REPLICA CRITICAL - no node is a primary")
    assert len(told.splitlines()) == 1


def test_mistakes_have_their_own_status(site: Path) -> None:
    assert replica("status")[0] == 2
    assert replica("status", "--nagios") == (3, "REPLICA UNKNOWN - no node is named\n")
    assert replica("status", "--json", "--nagios")[0] == 2


def next_facts(stream: IO[str]) -> dict[str, object]:
    """Return the next JSON object of several."""
    text = ""
    while True:
        line = stream.readline()
        assert line, text
        text += line
        if line == "}\n":
            found: dict[str, object] = json.loads(text)
            return found


def test_watch_goes_on_until_it_is_interrupted(pair18: Pair) -> None:
    words = ["replica", "status", *pair18.options, "--json", "--watch", "--every", "0.1"]
    with accounts.spawn(MAIN, *words) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert next_facts(process.stdout)["verdict"]
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode in (0, 1, 3)


def test_a_role_for_monitoring_sees_all_and_an_ordinary_one_is_told_what_it_lacks(
    pair18: Pair,
) -> None:
    pair = pair18
    until(lambda: pair.report().verdict == "ok")
    hba = "host postgres monitor,ordinary 127.0.0.1/32 trust\n"
    for one in (pair.a, pair.b):
        with (one.data / "pg_hba.conf").open("a") as file:
            file.write(hba)
        one.sql("select pg_reload_conf()")
    pair.a.sql("create role monitor login; grant pg_monitor to monitor; create role ordinary login")
    pair.caught_up(pair.b, pair.a)
    for role, found in (("monitor", []), ("ordinary", ["blind"])):
        named = [word.replace("user=postgres", f"user={role}") for word in pair.options]
        facts = json.loads(replica("status", *named, "--json")[1])
        assert [one["code"] for one in facts["nodes"][1]["findings"]] == found


def test_a_primary_that_only_the_standby_reaches_is_not_replaced(pair18: Pair) -> None:
    pair = pair18
    with proxy(pair.a.port) as network:
        network.cut()
        far = pair.a.option.replace(str(pair.a.port), str(network.port))
        words = ("--node", far, "--node", pair.b.option)
        status, told = replica("status", *words, "--timeout", "1", "--json")
        assert (status, json.loads(told)["nodes"][0]["role"]) == (3, "down")
        status, told = replica("promote", *words, "--timeout", "1", "--yes")
    assert status == 3
    assert "b heard from its primary" in told
    assert pair.b.value("select pg_is_in_recovery()")


def test_where_another_program_is_in_charge_nothing_is_done(pair18: Pair) -> None:
    pair = pair18
    pair.a.sql("create schema repmgr")
    pair.caught_up(pair.b, pair.a)
    pair.a.crash()
    status, told = replica("promote", *pair.options, "--yes")
    assert status == 3
    assert "repmgr is in charge" in told
    assert pair.b.value("select pg_is_in_recovery()")


def test_the_runbook_names_this_site_and_no_password(pair18: Pair, tmp_path: Path) -> None:
    pair = pair18
    (tmp_path / "param").mkdir()
    (tmp_path / "param/param.inc.php").write_text(
        "<?php\n$BDD_dsn = 'pgsql:host=old;dbname=lab';\n$BDD_passwd = 's3cret';\n"
    )
    status, told = replica("runbook", *pair.options, "--app", tmp_path)
    assert status == 0
    for word in (str(pair.a.data), str(pair.b.port), "promote b --yes", "--name a --to b"):
        assert word in told
    assert f'$BDD_dsn = "pgsql:host=127.0.0.1;port={pair.b.port};dbname=lab";' in told
    assert ".env" not in told
    assert SECRET not in told
    assert "s3cret" not in told
    pair.a.crash()
    status, told = replica("runbook", *pair.options)
    assert status == 0
    assert "did not answer" in told


def test_a_switchover_that_is_interrupted_leaves_the_primary_as_it_was(pair18: Pair) -> None:
    pair = pair18
    pair.b.sql("select pg_wal_replay_pause()")  # the proof would wait for a long time
    words = ["replica", "switchover", "--data", str(pair.a.data), "--name", "a"]
    words += [*pair.options, "--passfile", str(pair.passfile), "--yes"]
    assert replica(*words[1:])[0] == 3  # a paused standby is refused beforehand
    pair.b.sql("select pg_wal_replay_resume()")
    with proxy(pair.a.port) as network:
        pair.cut_off(network)
        with accounts.spawn(MAIN, *words, "--wait", "60") as process:
            until(lambda: not answers(pair.a))
            process.terminate()
            _, told = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "a is the primary as before" in told
    assert not pair.a.value("select pg_is_in_recovery()")


def answers(one: Machine) -> bool:
    """Tell whether a server lets somebody in."""
    try:
        return bool(one.value("select true"))
    except psycopg2.Error:
        return False
