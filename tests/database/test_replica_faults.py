"""What goes wrong around a failover: nothing is lost that could be kept, no second primary."""

import os
import re
import shlex
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from collec_migrations import replica as replica_room
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import postmaster
from collec_migrations.replica import RejoinRequest, health, nodes
from collec_migrations.replica import follow as following
from collec_migrations.replica.states import Limits
from tests import accounts, clusters, standbys
from tests.database.test_backup_faults import disk_of
from tests.database.test_replica_life import lives, rejoin, replica, switchover
from tests.proxy import proxy
from tests.standbys import Machine, Pair, follow, until

MAIN = "from collec_migrations.cli.main import main; main()"


def promoted(pair: Pair, *words: object) -> str:
    """Fail over to b; return what was said."""
    status, told = replica("promote", "b", *pair.options, "--yes", *words)
    assert status == 0, told
    return told


def refused(*words: object) -> str:
    """Return what a command said that did not do it."""
    status, told = replica(*words)
    assert status not in (0, 1), told
    return told


def fill(one: Machine) -> None:
    one.sql("insert into life (what) select md5(i::text) from generate_series(1, 2000) i")


def diverged(pair: Pair) -> None:
    """Fail over to b, and let a take rows that nobody else has."""
    pair.caught_up(pair.b, pair.a)
    pair.a.crash()
    promoted(pair)
    pair.a.start()
    fill(pair.a)


def test_a_primary_that_answers_is_not_replaced_unless_forced(pair18: Pair) -> None:
    pair = pair18
    told = refused("promote", *pair.options, "--yes")
    assert "a answers, and is a primary" in told
    assert "replica promote --switchover" in told
    told = refused("promote", "--node", pair.b.option, "--yes")  # a is not named: it is found
    assert f"the primary of b answers at 127.0.0.1:{pair.a.port}" in told
    assert pair.b.value("select pg_is_in_recovery()")
    told = promoted(pair, "--force")
    assert "overruled by --force: a answers" in told


def test_nothing_is_done_without_a_yes(pair18: Pair) -> None:
    pair = pair18
    pair.a.kill()
    told = refused("promote", *pair.options)
    assert "b (" in told
    assert "Add --yes" in told
    assert pair.b.value("select pg_is_in_recovery()")


def test_two_primaries_become_one_again_and_the_loss_is_told_first(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    assert "two-primaries" in [one.code for one in pair.report().findings]
    status, told = rejoin(pair, pair.a)
    assert status == 0, told
    assert "what it took alone is LOST" in told
    assert "after a rewind" in told
    pair.caught_up(pair.a, pair.b)
    assert lives(pair.a) == lives(pair.b) == []
    assert pair.follows(pair.a, pair.b)


def test_a_standby_with_a_target_of_its_primary_never_promotes_itself(pair18: Pair) -> None:
    """A primary that was once recovered to a moment keeps recovery_target_time in its file."""
    pair = pair18
    pair.b.stop()
    pair.b.configure(
        restore_command="false",
        recovery_target_time="2020-01-01 00:00:00+00",
        recovery_target_action="promote",
    )
    follow(pair.b, pair.a, pair.passfile)
    pair.b.start()
    pair.write(pair.a, "a commit")
    pair.caught_up(pair.b, pair.a)
    assert pair.b.value("select pg_is_in_recovery()") is True
    assert pair.follows(pair.b, pair.a)


def test_commits_that_wait_are_told_by_status_and_promote(pair18: Pair) -> None:
    pair = pair18
    for one in (pair.a, pair.b):
        one.configure(synchronous_standby_names="db9")
        one.sql("select pg_reload_conf()")
    until(lambda: pair.b.value("show synchronous_standby_names") == "db9")
    until(lambda: pair.a.value("show synchronous_standby_names") == "db9")
    assert "sync-unmet" in [one.code for one in pair.report().node("a").findings]
    pair.a.kill()
    told = promoted(pair)
    assert "every commit will wait" in told


def test_two_rejoins_exclude_each_other(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    words = ["replica", "rejoin", "--data", str(pair.a.data), "--name", "a", *pair.options]
    words += ["--passfile", str(pair.passfile), "--bindir", str(slow_rewind(pair)), "--yes"]
    begun = pair.home / "rewinding"
    with accounts.spawn(MAIN, *words) as first:
        until(begun.exists)
        with accounts.spawn(MAIN, *words) as second:
            _, told = second.communicate(timeout=60)
        begun.unlink()
        _, of_first = first.communicate(timeout=60)
    assert second.returncode == 75, told
    assert f"another rejoin of {pair.a.data} is at work" in told
    assert first.returncode == 0, of_first
    until(lambda: pair.follows(pair.a, pair.b))
    assert not list(pair.a.data.parent.glob(".*rejoin*"))


def test_what_another_rejoin_did_after_the_question_is_seen(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    named = (pair.a.named, pair.b.named)
    request = RejoinRequest(nodes=named, name="a", data=pair.a.data, passfile=pair.passfile)
    asked = replica_room.plan_rejoin(request)
    assert asked.choice
    assert asked.choice.method is following.Method.REWIND
    status, told = rejoin(pair, pair.a)
    assert status == 0, told
    until(lambda: pair.follows(pair.a, pair.b))
    before = postmaster.running(pair.a.data)
    assert replica_room.rejoin_standby(asked, say=print).method is None
    assert postmaster.running(pair.a.data) == before  # nobody stopped it


def test_a_rewind_that_is_not_let_in_is_not_made_a_clone(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    before, text = postmaster.running(pair.a.data), pair.passfile.read_text()
    pair.passfile.write_text("".join(line for line in text.splitlines(keepends=True)
                                     if "rewind" not in line))  # fmt: skip
    told = rejoin(pair, pair.a)[1]
    assert "has no line for 127.0.0.1" in told
    pair.passfile.write_text(text)
    pair.b.sql("alter role rewind nologin")
    told = rejoin(pair, pair.a)[1]
    assert "pg_rewind is not let in" in told
    assert postmaster.running(pair.a.data) == before
    assert standbys.SECRET not in told


def test_an_old_primary_started_as_a_standby_without_a_rewind_is_rewound(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    pair.a.stop()
    standbys.follow(pair.a, pair.b, pair.passfile)
    pair.a.start()
    status, told = rejoin(pair, pair.a)
    assert status == 0, told
    assert "after a rewind" in told
    until(lambda: pair.follows(pair.a, pair.b))


def test_a_rewind_that_is_not_possible_becomes_a_clone(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    pair.a.sql("select pg_switch_wal()")
    fill(pair.a)
    pair.a.sql("checkpoint")
    last = pair.a.value("select pg_walfile_name(pg_current_wal_lsn())")
    pair.a.stop()
    for segment in (pair.a.data / "pg_wal").glob("0000*"):
        if segment.is_file() and segment.name < str(last):
            segment.unlink()
    status, told = rejoin(pair, pair.a)
    assert status == 0, told
    assert "it cannot be rewound" in told
    assert "as a new clone" in told
    until(lambda: pair.follows(pair.a, pair.b))
    assert pair.a.value("show port") == str(pair.a.port)
    (aside,) = pair.a.home.glob("data.before-*")
    assert (aside / "standby.signal").exists()  # nobody starts it as a primary by mistake


def test_a_standby_whose_slot_is_lost_comes_back_as_a_clone(pair18: Pair) -> None:
    pair = pair18
    pair.a.configure(max_slot_wal_keep_size="1MB", wal_keep_size=0)
    pair.a.sql("select pg_reload_conf()")
    pair.b.stop()
    for _ in range(6):
        fill(pair.a)
        pair.a.sql("select pg_switch_wal()")
    pair.a.sql("checkpoint")
    until(lambda: pair.a.value("select wal_status from pg_replication_slots") == "lost")
    status, told = rejoin(pair, pair.b)
    assert status == 0, told
    assert "its slot 'b_slot' is lost" in told
    until(lambda: pair.follows(pair.b, pair.a))
    assert pair.a.value("select wal_status from pg_replication_slots") == "reserved"


def test_a_replay_paused_by_hand_is_not_promoted_over(pair18: Pair) -> None:
    pair = pair18
    pair.b.sql("select pg_wal_replay_pause()")
    fill(pair.a)
    at = pair.a.value("select pg_current_wal_flush_lsn()")
    until(lambda: pair.b.value(f"select pg_last_wal_receive_lsn() >= '{at}'"))
    pair.a.kill()
    assert "replay is paused on b" in refused("promote", *pair.options, "--yes")
    pair.b.sql("select pg_wal_replay_resume()")
    until(lambda: not refused_or_done(pair))
    assert len(lives(pair.b)) == 2000


def refused_or_done(pair: Pair) -> int:
    return replica("promote", *pair.options, "--yes")[0]


def test_a_replay_paused_by_a_parameter_is_not_promoted_over(pair18: Pair) -> None:
    pair = pair18
    pair.a.configure(max_connections=30)
    pair.a.stop()
    pair.a.start()
    until(lambda: pair.b.value("select pg_is_wal_replay_paused()"))
    fill(pair.a)
    at = pair.a.value("select pg_current_wal_flush_lsn()")
    until(lambda: pair.b.value(f"select pg_last_wal_receive_lsn() >= '{at}'"))
    pair.a.kill()
    assert "raise it and restart the standby" in refused("promote", *pair.options, "--yes")
    assert pair.b.value("select pg_is_in_recovery()")


def test_another_standby_that_has_more_is_promoted_and_the_other_follows_it(pair18: Pair) -> None:
    pair = pair18
    c = pair.third()
    every = (*pair.options, "--node", c.option)
    pair.b.stop()
    pair.write(pair.a, "only c has it")
    pair.caught_up(c, pair.a)
    pair.a.kill()
    pair.b.start()
    told = refused("promote", "b", *every, "--yes")
    assert "c has more" in told
    assert "2 standbys answer" in refused("promote", *every, "--yes")
    status, told = replica("promote", "c", *every, "--yes")
    assert status == 0, told
    where = ("--data", pair.b.data, "--name", "b", "--passfile", pair.passfile)
    status, told = replica("rejoin", *where, *every, "--yes")
    assert status == 0, told
    assert "follows again, as it was: c" in told
    assert lives(pair.b) == [("only c has it",)]
    status, told = replica("rejoin", *where, *every, "--yes")
    assert (status, told) == (0, "b follows already: c, timeline 2\n")


def test_a_switchover_whose_standby_is_cut_off_starts_the_primary_again(pair18: Pair) -> None:
    pair = pair18
    with proxy(pair.a.port) as network:
        pair.cut_off(network)
        told = refused(
            *(
                "promote",
                "--switchover",
                "--data",
                pair.a.data,
                "--name",
                "a",
                "--passfile",
                pair.passfile,
            ),
            *(*pair.options, "--timeout", "2", "--yes"),
        )
    assert "b did not get the last record" in told
    assert "a is the primary as before" in told
    pair.write(pair.a, "goes on")
    assert not (pair.a.data / "standby.signal").exists()
    assert lives(pair.a) == [("not sent",), ("goes on",)]


def test_a_switchover_that_could_not_come_back_is_refused_before_the_stop(pair18: Pair) -> None:
    pair = pair18
    before = postmaster.running(pair.a.data)
    hba = pair.b.data / "pg_hba.conf"
    text = hba.read_text()
    hba.write_text(text.replace("host replication rep 127.0.0.1/32 scram-sha-256", ""))
    pair.b.sql("select pg_reload_conf()")
    until(lambda: "a standby of this machine is not let in" in switchover(pair, pair.a)[1])
    assert postmaster.running(pair.a.data) == before
    hba.write_text(text)
    status, told = replica(
        *(
            "promote",
            "--switchover",
            "--data",
            pair.b.data,
            "--name",
            "a",
            "--passfile",
            pair.passfile,
        ),
        *(*pair.options, "--yes"),
    )
    assert status == 3
    assert "does not run on" in told
    assert postmaster.running(pair.a.data) == before


def test_a_primary_that_was_marked_as_a_standby_is_a_primary_again(pair18: Pair) -> None:
    pair = pair18
    pair.a.stop()
    before = following.read_markers(pair.a.node)
    standbys.follow(pair.a, pair.b, pair.passfile)
    assert following.read_markers(pair.a.node) != before
    following.write_markers(pair.a.node, before)
    assert following.read_markers(pair.a.node) == before
    pair.a.start()
    assert not pair.a.value("select pg_is_in_recovery()")


def test_a_rejoin_that_is_killed_leaves_nothing_that_starts_and_can_be_repeated(
    pair18: Pair,
) -> None:
    pair = pair18
    diverged(pair)
    programs = slow_rewind(pair)
    words = ["replica", "rejoin", "--data", str(pair.a.data), "--name", "a", *pair.options]
    words += ["--passfile", str(pair.passfile), "--bindir", str(programs), "--yes"]
    with accounts.spawn(MAIN, *words) as process:
        away = following.fenced_path(pair.a.data)
        until(lambda: (pair.home / "rewinding").exists())
        process.kill()
    left = int((pair.home / "rewinding").read_text())
    assert f"pg_rewind still works on {away} (process {left})" in rejoin(pair, pair.a)[1]
    os.kill(left, signal.SIGKILL)
    until(lambda: not postmaster.is_alive(left))
    assert away.exists()
    assert not pair.a.data.exists()  # what starts servers finds nothing to start
    status, told = rejoin(pair, pair.a)
    assert status == 0, told
    assert not away.exists()
    assert not following.kept_path(pair.a.data).exists()
    until(lambda: pair.follows(pair.a, pair.b))
    assert pair.a.value("show port") == str(pair.a.port)


def slow_rewind(pair: Pair) -> Path:
    """Return a folder of programs whose pg_rewind waits until the file `rewinding` is gone."""
    flag = pair.home / "rewinding"
    return with_rewind(
        pair, f"echo $$ >{flag}.partial; mv {flag}.partial {flag}\n"
        f'while [ -e {flag} ]; do sleep 0.1; done; exec "$real" "$@"',
    )  # fmt: skip


def with_rewind(pair: Pair, text: str) -> Path:
    """Return a folder of programs whose pg_rewind is a script; `$real` is the former."""
    folder = pair.home / "bin"
    folder.mkdir()
    folder.chmod(0o755)
    found = pair.a.node.binaries
    for program in found.bin_dir.iterdir():
        (folder / program.name).symlink_to(program)
    clusters.script(folder, "pg_rewind", f"real={found.program('pg_rewind')}\n{text}")
    return folder


def comes_back_later(pair: Pair) -> None:
    """See that a cannot start as a primary after a failed rejoin, and that the next one does it."""
    fenced = following.fenced_path(pair.a.data)
    assert fenced.exists() is not pair.a.data.exists()
    assert fenced.exists() or (pair.a.data / "standby.signal").exists()
    status, told = rejoin(pair, pair.a)
    assert status == 0, told
    until(lambda: pair.follows(pair.a, pair.b))
    assert lives(pair.a) == lives(pair.b)
    assert pair.a.value("show port") == str(pair.a.port)


@accounts.needs_root
def test_a_disk_that_is_full_during_a_rejoin(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    pair.a.stop()
    kept = pair.home / "kept"
    pair.a.home.rename(kept)
    with disk_of(400, pair.a.home):
        subprocess.run(["cp", "-a", f"{kept}/.", str(pair.a.home)], check=True)
        filler = pair.a.home / "of_somebody_else"
        # pg_rewind itself makes room: what comes after it finds none.
        full = with_rewind(pair, f'"$real" "$@" && ! cat /dev/zero >{filler} 2>/dev/null')
        try:
            status, told = rejoin(pair, pair.a, "--bindir", full)
            assert status == 3, told
            assert "No space left on device" in told
            filler.unlink()
            comes_back_later(pair)
        finally:
            pair.a.stop()


def test_a_network_that_is_cut_during_a_rejoin(pair18: Pair) -> None:
    pair = pair18
    diverged(pair)
    begun = pair.home / "rewinding"
    with proxy(pair.b.port) as network:
        gone = with_rewind(pair, f'touch {begun}; while [ -e {begun} ]; do sleep 0.1; done\n'
                           'exec timeout 2 "$real" "$@"')  # fmt: skip
        words = ["replica", "rejoin", "--data", str(pair.a.data), "--name", "a", "--yes"]
        words += ["--node", pair.a.option, "--passfile", str(pair.passfile)]
        words += ["--node", pair.b.option.replace(str(pair.b.port), str(network.port))]
        with accounts.spawn(MAIN, *words, "--bindir", str(gone)) as process:
            until(begun.exists)
            network.cut()
            begun.unlink()
            _, told = process.communicate(timeout=60)
        assert process.returncode == 3, told
        assert "it cannot be rewound" in told
    comes_back_later(pair)


def test_a_node_that_was_never_one_of_ours_is_not_touched(pair18: Pair, tmp_path: Path) -> None:
    pair = pair18
    told = refused(
        *("rejoin", "--data", tmp_path, "--name", "a", "--passfile", pair.passfile),
        *(*pair.options, "--yes"),
    )
    assert "no node but a is a primary" in told
    pair.a.kill()
    promoted(pair)
    told = refused(
        *("rejoin", "--data", tmp_path, "--name", "a", "--passfile", pair.passfile),
        *(*pair.options, "--yes"),
    )
    assert "not a data folder" in told


def test_a_folder_of_somebody_else_is_not_touched(pair18: Pair) -> None:
    """The name of one node and the folder of another: on a bad night that happens."""
    pair = pair18
    pair.a.crash()
    promoted(pair)
    wrong = ("--name", "a", "--passfile", pair.passfile, *pair.options, "--yes")
    told = refused("rejoin", "--data", pair.b.data, *wrong)
    assert "is the folder of the primary, b" in told
    assert not pair.b.value("select pg_is_in_recovery()")
    other = pair.home / "other"
    other.mkdir()
    os.chown(other, pair.a.node.account.uid, pair.a.node.account.gid)
    pair.a.node.run("initdb", "-D", other / "data", "--no-sync", "--auth=trust")
    told = refused("rejoin", "--data", other / "data", *wrong)
    assert "of another system" in told
    assert not (other / "data" / "standby.signal").exists()
    status, told = rejoin(pair, pair.a)
    assert status == 0, told
    told = refused("rejoin", "--data", other / "data", *wrong)
    assert f"a runs on {pair.a.data}" in told


def test_no_password_is_ever_told(pair18: Pair) -> None:
    pair = pair18
    told = refused("status", "--node", f"b={pair.b.named.address.dsn} password=hunter2")
    assert "hunter2" not in told
    assert "~/.pgpass" in told


def alone(pair: Pair, *others: Machine) -> str:
    """Return what `status` says about several primaries."""
    (found,) = (one for one in pair.report(*others).findings if one.code == "two-primaries")
    return found.message


def test_an_old_primary_that_was_started_again_is_told_with_what_it_has_alone(
    pair18: Pair,
) -> None:
    pair = pair18
    diverged(pair)
    line = alone(pair)
    assert re.search(r"a \(timeline 1, .* [1-9]\d* bytes alone since 0/\w+ of timeline 1\)", line)
    assert re.search(r"b \(timeline 2, .* [1-9]\d* bytes alone since 0/\w+ of timeline 1\)", line)
    assert pair.report().node("a").role == "primary"
    assert rejoin(pair, pair.a)[0] == 0
    until(lambda: pair.follows(pair.a, pair.b))


def test_a_standby_that_promoted_itself_is_the_one_to_come_back(pair18: Pair) -> None:
    pair = pair18
    c = pair.third()
    c.sql("select pg_promote()")
    pair.write(c, "alone")
    line = alone(pair, c)
    assert re.search(r"c \(timeline 2, .*followed by nobody, [1-9]\d* bytes alone", line)
    assert re.search(r"a \(timeline 1, .*followed by b, \d+ bytes alone", line)
    assert [one.code for one in pair.report(c).node("c").findings] == ["second-primary"]
    every = (*pair.options, "--node", c.option)
    where = ("--data", c.data, "--name", "c", "--passfile", pair.passfile)
    told = refused("rejoin", *where, *every, "--yes")
    assert "newer than the primary's" in told
    command = told.partition("is moved aside): collec-migrations ")[2].strip()
    c.stop()
    status, told = replica(*shlex.split(command)[1:], "--listen", f"127.0.0.1:{c.port}")
    assert status == 0, told
    until(lambda: pair.follows(c, pair.a))
    assert lives(c) == lives(pair.a)


def test_two_standbys_that_were_both_promoted(pair18: Pair) -> None:
    pair = pair18
    c = pair.third()
    pair.a.stop()
    pair.b.sql("select pg_promote()")
    pair.write(pair.b, "of b")
    c.sql("select pg_promote()")
    pair.write(c, "of c")
    line = alone(pair, c)
    # Both are on a timeline 2 that begins at the same place: nobody can tell them apart.
    assert line.count("what it has alone is not known") == 2
    every = (*pair.options, "--node", c.option)
    where = ("--data", pair.a.data, "--name", "a", "--passfile", pair.passfile)
    assert "several nodes take writes" in refused("rejoin", *where, *every, "--yes")
    where = ("--data", c.data, "--name", "c", "--passfile", pair.passfile)
    status, told = replica("rejoin", *where, *every, "--yes")
    assert status == 0, told
    assert "both took writes on a timeline 2" in told
    assert "as a new clone" in told
    assert lives(c) == lives(pair.b) == [("of b",)]
    assert list(c.home.glob("data.before-*"))


def test_a_primary_that_was_restored_from_a_backup_beside_the_true_one(pair18: Pair) -> None:
    pair = pair18
    pair.write(pair.a, "before")
    pair.caught_up(pair.b, pair.a)
    # A copy of the standby, recovered by itself: the same as a base backup restored and promoted.
    c = pair.third()
    c.stop()
    (c.data / "standby.signal").unlink()
    (c.data / "recovery.signal").touch()
    c.configure(restore_command="false", primary_conninfo="")
    c.start()
    until(lambda: c.value("select not pg_is_in_recovery()"))
    pair.write(pair.a, "true")
    line = alone(pair, c)
    assert "followed by b" in line.partition("a (")[2]
    assert "not a, which others follow" in next(iter(pair.report(c).findings)).hint
    assert pair.report(c).node("a").verdict == "ok"
    every = (*pair.options, "--node", c.option)
    where = ("--data", c.data, "--name", "c", "--passfile", pair.passfile)
    told = refused("rejoin", *where, *every, "--yes")
    assert "the folder is on timeline 2, newer than the primary's, 1" in told
    assert "replica clone" in told.partition("If its data are not needed")[2]
    assert not c.value("select pg_is_in_recovery()")  # nothing was touched


@pytest.mark.parametrize(
    ("names", "met"),
    [
        ("b", True),
        ("FIRST 1 (b, x)", True),
        ("ANY 1 (x, b)", True),
        ("*", True),
        ("x", False),
        ("FIRST 2 (b, x)", False),
        ("ANY 2 (b, x)", False),
    ],
)
def test_ours_waits_for_no_standby_and_status_says_who_does(
    pair18: Pair, names: str, met: bool
) -> None:
    pair = pair18
    pair.a.configure(synchronous_standby_names=names)
    pair.a.sql("select pg_reload_conf()")
    until(lambda: pair.a.value("show synchronous_standby_names") == names)
    if met:
        until(lambda: pair.a.value("select sync_state from pg_stat_replication")
              in ("sync", "quorum"))  # fmt: skip
    codes = [one.code for one in pair.report().node("a").findings]
    assert ("sync-unmet" in codes) is not met
    with closing(database.connect(pair.a.named.address)) as session, session.cursor() as cursor:
        cursor.execute("create table public.ours (id int)")
        session.commit()  # returns, whoever is awaited
        cursor.execute("show synchronous_commit")
        assert cursor.fetchone() == ("local",)


def test_a_standby_that_is_late_on_purpose_has_a_limit_of_its_own(pair18: Pair) -> None:
    pair = pair18
    pair.b.configure(recovery_min_apply_delay="1h")
    pair.b.sql("select pg_reload_conf()")
    until(lambda: pair.b.value("show recovery_min_apply_delay") == "1h")
    for _ in range(3):
        fill(pair.a)
    at = pair.a.value("select pg_current_wal_flush_lsn()")
    until(lambda: pair.b.value(f"select pg_last_wal_receive_lsn() >= '{at}'"))
    seen = nodes.read_nodes([pair.a.named, pair.b.named])
    strict = Limits(bytes=1000, seconds=0.001)
    codes = [one.code for one in health.report(seen, strict).node("b").findings]
    assert "lag" not in codes


def test_a_primary_with_unmet_standbys_is_prepared_and_no_password_is_changed(
    pair18: Pair, tmp_path: Path
) -> None:
    pair = pair18
    pair.a.configure(synchronous_standby_names="x")
    pair.a.sql("select pg_reload_conf()")
    until(lambda: pair.a.value("show synchronous_standby_names") == "x")
    before = pair.a.sql("select rolname, rolpassword from pg_authid order by 1")
    file = tmp_path / "passwords"
    words = ("primary", "127.0.0.1", "--passfile", file)
    url = ("--url", f"postgresql://postgres@127.0.0.1:{pair.a.port}/postgres")
    _, told = replica(*words, *url, "--yes")
    for role in ("rep", "rewind"):
        assert f"{file} has no line for the role {role}, which is there already" in told
    assert pair.a.sql("select rolname, rolpassword from pg_authid order by 1") == before
    _, told = replica(*words, *url, "--yes", "--new-passwords")  # its commits wait for nobody
    assert file.exists(), told
    assert pair.a.sql("select rolname, rolpassword from pg_authid order by 1") != before
