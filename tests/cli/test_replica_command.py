"""`replica status` and `replica runbook`: forms, exit statuses, rights, and what is never told."""

import json
from pathlib import Path
from typing import Any

import psycopg2
from typer.testing import CliRunner

from collec_migrations.cli.main import app
from tests import accounts, clusters, primaries
from tests.database.test_replica_life import replica
from tests.docs import json_page
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
    json_page.check("replica status", facts)
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
    until(lambda: pair.report().verdict == "ok")
    page = tmp_path / "runbook.md"
    status, _ = replica("status", *pair.options, "--app", tmp_path, "--report", page)
    assert status == 0
    told = page.read_text("utf-8")
    for word in (str(pair.a.data), str(pair.b.port), "promote b --yes", "promote b --switchover"):
        assert word in told
    assert f'$BDD_dsn = "pgsql:host=127.0.0.1;port={pair.b.port};dbname=lab";' in told
    assert ".env" not in told
    assert SECRET not in told
    assert "s3cret" not in told
    pair.a.crash()
    status, told = replica("status", *pair.options, "--report", page)
    assert status == 3
    assert "did not answer" in told
    status, told = replica("status", *pair.options, "--report", tmp_path / "none" / "page")
    assert (status, "cannot be written" in told or "could not be written" in told) == (3, True)


def test_a_switchover_that_is_interrupted_leaves_the_primary_as_it_was(pair18: Pair) -> None:
    pair = pair18
    pair.b.sql("select pg_wal_replay_pause()")  # the proof would wait for a long time
    words = ["replica", "promote", "--switchover", "--data", str(pair.a.data), "--name", "a"]
    words += [*pair.options, "--passfile", str(pair.passfile), "--yes"]
    assert replica(*words[1:])[0] == 3  # a paused standby is refused beforehand
    pair.b.sql("select pg_wal_replay_resume()")
    with proxy(pair.a.port) as network:
        pair.cut_off(network)
        with accounts.spawn(MAIN, *words, "--timeout", "60") as process:
            until(lambda: not answers(pair.a))
            process.terminate()
            _, told = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "a is the primary as before" in told
    assert not pair.a.value("select pg_is_in_recovery()")


def test_what_changes_the_roles_is_told_as_json(pair18: Pair) -> None:
    pair = pair18
    a, b = pair.a, pair.b

    def told(verb: str, *words: object) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(
            app, ["replica", verb, *map(str, words), *pair.options, "--yes", "--json"]
        )
        facts = json.loads(done.stdout)
        json_page.check(f"replica {verb}", facts)
        return done.exit_code, facts

    def here(one: Machine) -> tuple[object, ...]:
        return "--data", one.data, "--name", one.name, "--passfile", pair.passfile

    pair.caught_up(b, a)
    status, facts = told("promote", "--switchover", *here(a))
    assert (status, facts["lost"], facts["left"]) == (0, 0, [])
    assert facts["promoted"]["port"] == b.port
    assert any(str(b.port) in line for line in facts["application"])
    until(lambda: pair.follows(a, b))
    pair.caught_up(a, b)
    b.kill()
    status, facts = told("promote", "a")
    assert (status, facts["name"], facts["port"], facts["timeline"]) == (0, "a", a.port, 3)
    status, facts = told("rejoin", *here(b))
    assert (status, facts["name"], facts["way"], facts["timeline"]) == (0, "b", "rewind", 3)
    status, facts = told("rejoin", *here(b))
    assert (status, facts["way"]) == (0, None)


def test_a_clone_is_told_as_json() -> None:
    with clusters.site(18) as site:
        prepared = primaries.prepare(site)
        planned = clusters.command(*prepared.words("s1"), "--json", "--plan")
        assert planned.exit_code == 0, planned.output
        json_page.check("replica clone", json.loads(planned.stdout))
        assert json.loads(planned.stdout)["obstacles"] == []
        port = clusters.free_port()
        done = prepared.clone("s1", "--listen", f":{port}", "--json")
        assert done.exit_code == 0, done.output
        facts = json.loads(done.stdout)
        json_page.check("replica clone", facts)
        assert (facts["name"], facts["slot"], facts["streams"]) == ("s1", "s1_slot", True)


def answers(one: Machine) -> bool:
    """Tell whether a server lets somebody in."""
    try:
        return bool(one.value("select true"))
    except psycopg2.Error:
        return False
