"""What is decided about a replication, without any server."""

from dataclasses import replace
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from collec_migrations.errors import MigrationError, ReplicationRefused, UsageError
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import follow, health, nodes, promotion, states, switchover
from collec_migrations.replica.follow import Folder, Method
from collec_migrations.replica.states import Down, Limits, Node, Receiver, Sender, Slot, Up
from collec_migrations.replica.streaming import Identity

A = Up(
    name="a",
    shown="host=a",
    host="a",
    port=5432,
    version=180006,
    release="18.6",
    major="18",
    in_recovery=False,
    system="7",
    timeline=2,
    position=1000,
    received=None,
    replayed=None,
    paused=False,
    replay_age=None,
    clock=100.0,
    began=1,
    receiver_known=True,
    senders=(
        Sender(
            pid=9, name="b", client="b", state="streaming", sync_state="async",
            sent=1000, replayed=1000, reply_time=99.0,
        ),
    ),
    slots=(
        Slot(name="b_slot", physical=True, active=True, pid=9, position=900,
             wal_status="reserved", invalidation=""),
    ),
    settings={"max_slot_wal_keep_size": "512", "max_connections": "100", "port": "5432"},
)  # fmt: skip
RECEIVER = Receiver(
    status="streaming", timeline=2, message_age=1.0, slot="b_slot", name="b", host="a", port=5432
)
B = replace(
    A,
    name="b",
    host="b",
    in_recovery=True,
    position=None,
    received=1000,
    replayed=1000,
    replay_age=50.0,
    receiver=RECEIVER,
    senders=(),
    slots=(),
    settings={"max_connections": "100"},
    upstream=("a", 5432),
)
GONE = Down(name="a", shown="host=a", host="a", port=5432, why="refused", answers=False)


def codes(standby: Up, primary: Up = A, limits: Limits | None = None) -> list[str]:
    return [one.code for one in health.judge_standby(standby, primary, limits or Limits())]


def slot(**changes: Any) -> Up:
    """Return the primary with another slot for b."""
    return replace(A, slots=(replace(A.slots[0], **changes),))


def receiver(**changes: Any) -> Up:
    """Return b with another receiver."""
    return replace(B, receiver=replace(RECEIVER, **changes))


def settings(standby: Up, **changes: str) -> Up:
    return replace(standby, settings={**standby.settings, **changes})


@pytest.mark.parametrize(
    ("standby", "primary", "found"),
    [
        (B, A, []),
        (replace(B, system="8"), A, ["other-system"]),
        (replace(B, system=None), A, []),
        (receiver(timeline=1), A, ["diverged"]),
        (receiver(timeline=3), A, ["diverged"]),
        (replace(B, received=1001), A, ["diverged"]),
        (replace(B, received=None, replayed=1001), A, ["diverged"]),
        (B, slot(name="x"), ["slot-missing"]),
        (B, slot(wal_status="lost"), ["slot-lost"]),
        (B, slot(wal_status="unreserved"), ["slot-lost"]),
        (B, slot(wal_status="", invalidation="wal_removed"), ["slot-lost"]),
        (B, slot(wal_status="extended"), []),
        (B, slot(active=False, pid=None), ["slot-unused"]),
        (replace(B, receiver=None), A, ["no-receiver"]),
        (replace(B, receiver=None, receiver_known=False, major="9.5"), A, []),
        (
            replace(B, receiver=None, receiver_known=False, major="9.5"),
            replace(A, senders=()),
            ["no-receiver"],
        ),
        (receiver(status=""), A, ["blind"]),
        (receiver(status="waiting"), A, ["not-streaming"]),
        (receiver(message_age=29.3), A, []),
        (receiver(message_age=32), A, ["silent"]),
        (settings(receiver(message_age=32), wal_receiver_timeout="0"), A, ["silent"]),
        (settings(receiver(message_age=32), wal_receiver_timeout="120000"), A, []),
        (replace(B, clock=121.0), A, ["silent"]),
        (settings(replace(B, clock=121.0), wal_receiver_status_interval="30"), A, []),
        (replace(B, paused=True), A, ["replay-paused"]),
        (settings(B, max_connections="99"), A, ["parameters"]),
        (replace(B, version=180005), A, ["older"]),
        (replace(B, version=180007), A, []),
    ],
)
def test_a_standby_is_judged(standby: Up, primary: Up, found: list[str]) -> None:
    assert codes(standby, primary) == found


def test_a_server_that_refuses_us_is_not_called_lost() -> None:
    """Who reads "no primary: promote" beside a primary with a wrong password, promotes."""
    shut = replace(GONE, answers=True, why="password authentication failed")
    report = health.report([shut, B])
    assert report.findings[0].message == "no primary is seen: a does not let us in"
    assert "promote" not in report.findings[0].hint
    assert report.node("a").role == "unknown"
    assert "~/.pgpass" in report.node("a").findings[0].hint
    lost = health.report([GONE, B])
    assert "`replica promote`" in lost.findings[0].hint
    assert (lost.node("a").role, lost.node("b").verdict) == ("down", "attention")


def test_nobody_is_told_to_start_an_old_primary() -> None:
    new = replace(A, name="b", host="b", slots=(), senders=())
    hint = health.report([GONE, new]).node("a").findings[0].hint
    assert "do not start" in hint
    assert "`replica rejoin`" in hint


def test_seconds_are_counted_only_while_something_waits() -> None:
    report = health.report([A, B])
    lag = report.node("b").lag
    assert lag
    assert (lag.to_replay, lag.seconds, lag.since_replay) == (0, 0.0, 50.0)
    behind = health.report([A, replace(B, replayed=400)]).node("b").lag
    assert behind
    assert (behind.to_receive, behind.to_replay, behind.seconds) == (0, 600, 50.0)
    unsent = health.report([A, replace(B, received=400, replayed=400)]).node("b").lag
    assert unsent
    assert (unsent.to_receive, unsent.to_replay, unsent.seconds) == (600, 600, 1.0)


def test_a_lag_is_told_from_the_limit_on() -> None:
    late = replace(B, replayed=400)
    assert codes(late, limits=Limits(bytes=600, seconds=50)) == []
    assert codes(late, limits=Limits(bytes=599, seconds=50)) == ["lag"]
    assert codes(late, limits=Limits(bytes=600, seconds=49)) == ["lag"]


@pytest.mark.parametrize(
    ("seen", "whole"),
    [
        ([A, B], []),
        ([GONE, B], ["no-primary"]),
        ([A, replace(B, in_recovery=False, timeline=3)], ["two-primaries"]),
        ([A, replace(B, in_recovery=False)], ["two-primaries"]),
    ],
)
def test_the_whole_is_judged(seen: list[Node], whole: list[str]) -> None:
    assert [one.code for one in health.report(seen).findings] == whole


@pytest.mark.parametrize("seen", [(A, replace(A, name="c", host="c")), (A,), (B,)])
def test_only_the_one_primary_is_switched_over(seen: tuple[Node, ...]) -> None:
    assert switchover._primary((A, B), "a") is A
    with pytest.raises(ReplicationRefused, match="is not the one primary"):
        switchover._primary(seen, "c")


def test_a_silent_node_is_given_up_by_the_network_too() -> None:
    patient = nodes.with_timeout(Address("host=a"), 2.5)
    assert parse_dsn(patient.dsn)["tcp_user_timeout"] == "2500"
    own = nodes.with_timeout(Address("host=a tcp_user_timeout=7"), 2.5)
    assert parse_dsn(own.dsn)["tcp_user_timeout"] == "7"


def test_a_standby_that_promoted_itself_is_not_the_primary() -> None:
    """Its timeline is newer; c, which follows a, tells which history is common."""
    alone = replace(B, in_recovery=False, timeline=3, position=2000, receiver=None)
    c = replace(B, name="c", host="c", receiver=replace(RECEIVER, name="c"))
    found = health.report([A, alone, c])
    assert health.primary_of([A, alone, c]) is A
    assert found.node("b").findings[0].code == "second-primary"
    (whole,) = found.findings
    assert "followed by b, c" in whole.message
    assert "not a, which others follow" in whole.hint
    nobody = replace(A, senders=())
    (untold,) = health.report([nobody, alone]).findings
    assert "their rows tell" in untold.hint


@pytest.mark.parametrize(
    ("names", "states", "unmet"),
    [
        ("", [], False),
        ("db9", [], True),
        ("db9", ["async"], True),
        ("b", ["sync"], False),
        ("b, c", ["sync", "potential"], False),
        ("FIRST 2 (b, c)", ["sync", "sync"], False),
        ("FIRST 2 (b, c)", ["sync", "async"], True),
        ("2 (b, c)", ["sync"], True),
        ("ANY 1 (b, c)", ["quorum", "quorum"], False),
        ("ANY 2 (b, c, d)", ["quorum"], True),
        ("*", ["sync"], False),
        ("db9", [""], False),  # a role that may not see it
    ],
)
def test_commits_that_wait_for_nobody(names: str, states: list[str], unmet: bool) -> None:
    senders = tuple(replace(A.senders[0], sync_state=state) for state in states)
    primary = replace(settings(A, synchronous_standby_names=names), senders=senders)
    found = [one.code for one in health.report([primary]).node("a").findings]
    assert ("sync-unmet" in found) is unmet


def test_slots_that_keep_wal_are_told() -> None:
    unbounded = settings(A, max_slot_wal_keep_size="-1")
    assert [one.code for one in health.report([unbounded, B]).node("a").findings] == [
        "slot-unbounded"
    ]
    away = slot(name="c_slot", active=False, pid=None)
    assert "slot-inactive" in [one.code for one in health.report([away, B]).node("a").findings]
    stale = replace(B, slots=(replace(A.slots[0], active=False, pid=None),))
    assert [one.code for one in health.report([A, stale]).node("b").findings] == ["slot-stale"]


def test_a_standby_that_refuses_reads_is_known_by_its_primary_alone() -> None:
    refuses = replace(GONE, name="b", answers=True)
    assert health.report([A, refuses]).node("b").verdict == "ok"
    silent = replace(GONE, name="b")
    assert health.report([A, silent]).node("b").verdict == "broken"


NOW_ALONE = replace(B, receiver=None)


@pytest.mark.parametrize(
    ("target", "others", "answers", "found"),
    [
        (NOW_ALONE, [GONE], False, []),
        (A, [], False, ["role"]),
        (NOW_ALONE, [A], False, ["primary"]),
        (NOW_ALONE, [A], True, ["primary"]),
        (NOW_ALONE, [], True, ["primary"]),
        (NOW_ALONE, [replace(GONE, answers=True)], False, ["primary"]),
        (B, [GONE], False, ["primary"]),  # it hears from it, though we do not
        (receiver(message_age=40), [GONE], False, []),  # the last words of one that is gone
        (replace(NOW_ALONE, paused=True, replayed=900), [GONE], False, ["paused"]),
        (replace(NOW_ALONE, paused=True), [GONE], False, []),
        (NOW_ALONE, [GONE, replace(NOW_ALONE, name="c", received=1001)], False, ["ahead"]),
        (NOW_ALONE, [GONE, replace(NOW_ALONE, name="c", timeline=3)], False, ["ahead"]),
        (NOW_ALONE, [GONE, replace(NOW_ALONE, name="c", system="8", received=2000)], False, []),
        (NOW_ALONE, [GONE, replace(NOW_ALONE, name="c")], False, []),
    ],
)
def test_what_speaks_against_a_promotion(
    target: Up, others: list[Node], answers: bool, found: list[str]
) -> None:
    seen = [target, *others]
    told = promotion.promotion_obstacles(target, seen, upstream_answers=answers)
    assert [one.code for one in told] == found


STOPPED = Folder(system="7", state="shut down", timeline=1, position=500)
NEW = Identity(system="7", timeline=2, position=1000, history=((1, 600),))


@pytest.mark.parametrize(
    ("folder", "primary", "method"),
    [
        (STOPPED, NEW, Method.ATTACH),
        (replace(STOPPED, position=600), NEW, Method.REWIND),
        (replace(STOPPED, position=700), NEW, Method.REWIND),
        (replace(STOPPED, state="in production"), NEW, Method.REWIND),
        (replace(STOPPED, state="shutting down"), NEW, Method.REWIND),
        (replace(STOPPED, state="shut down in recovery", position=600), NEW, Method.ATTACH),
        (replace(STOPPED, state="in archive recovery", position=601), NEW, Method.REWIND),
        (STOPPED, replace(NEW, history=((9, 600),)), Method.REWIND),
        (replace(STOPPED, timeline=2), NEW, Method.CLONE),
        (replace(STOPPED, timeline=2, state="shut down in recovery"), NEW, Method.ATTACH),
        (replace(STOPPED, timeline=2, position=1001), NEW, Method.CLONE),
        (replace(STOPPED, timeline=2), replace(NEW, timeline=3, history=((1, 4), (2, 499))),
         Method.REWIND),
    ],
)  # fmt: skip
def test_how_a_folder_comes_back(folder: Folder, primary: Identity, method: Method) -> None:
    assert follow.choose(folder, primary).method is method


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        (replace(STOPPED, system="8"), "another system"),
        (replace(STOPPED, timeline=3), "newer than the primary's"),
    ],
)
def test_a_folder_that_may_not_come_back(folder: Folder, message: str) -> None:
    with pytest.raises(ReplicationRefused, match=message):
        follow.choose(folder, NEW)


def test_a_clone_is_due_where_nothing_else_is_possible() -> None:
    attach = follow.choose(STOPPED, NEW)
    rewind = follow.choose(replace(STOPPED, position=700), NEW)
    lost = replace(A.slots[0], wal_status="lost")
    assert follow.feasible(attach, lost, "18").method is Method.CLONE
    assert follow.feasible(attach, A.slots[0], "18") == attach
    assert follow.feasible(attach, None, "9.4") == attach
    assert follow.feasible(rewind, lost, "9.5") == rewind
    assert follow.feasible(rewind, None, "9.4").method is Method.CLONE


def test_control_data_of_a_standby_is_its_last_known_position() -> None:
    told = {
        "Database system identifier": "7",
        "Database cluster state": "shut down in recovery",
        "Latest checkpoint location": "0/1000",
        "Latest checkpoint's TimeLineID": "1",
        "Minimum recovery ending location": "0/2000",
        "Min recovery ending loc's timeline": "2",
    }
    assert follow.folder_of(told) == Folder(
        system="7", state="shut down in recovery", timeline=2, position=0x2000
    )


@pytest.mark.parametrize("text", ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"])
def test_positions_are_read_and_written(text: str) -> None:
    assert states.lsn_text(states.parse_lsn(text)) == text


@pytest.mark.parametrize("text", ["", "1", "x/1", "1/"])
def test_what_is_no_position_is_told(text: str) -> None:
    with pytest.raises(MigrationError, match="not a position"):
        states.parse_lsn(text)


def test_a_history_is_read() -> None:
    content = "1\t0/3000060\tno recovery target specified\n\n2\t0/4000098\tbefore 2026\n"
    assert states.parse_history(content) == ((1, 0x3000060), (2, 0x4000098))


def test_nodes_come_from_options_or_from_the_file(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = nodes.known_nodes(
        ["db1=host=10.0.0.1 user=postgres", "db2=postgresql://10.0.0.2:5433/x"]
    )
    assert [(one.name, one.host, one.port) for one in given] == [
        ("db1", "10.0.0.1", 5432),
        ("db2", "10.0.0.2", 5433),
    ]
    (tmp_path / nodes.FILE).write_text(
        "[nodes]\ndb1 = 'host=10.0.0.1 user=postgres'\ndb2 = 'host=10.0.0.2 port=5433 dbname=x'\n"
    )
    assert nodes.known_nodes([]) == given
    assert nodes.node_named(given, "db2") is given[1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no node is named"),
        (["db1"], "given as 'db1'"),
        (["a b=host=x"], "given as 'a b'"),
        (["db1=host=x", "db1=host=y"], "named twice"),
        (["db1=postgresql://u:s3cret@h/d"], "holds a password"),
        (["db1=host=x,y"], "several hosts"),
        (["db1=nonsense"], "not a valid address"),
    ],
)
def test_nodes_that_cannot_be_used_are_refused(
    given: list[str], message: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message) as caught:
        nodes.known_nodes(given)
    assert "s3cret" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("content", ["nodes = 3", "[nodes]\ndb1 = 3\n", "[nodes", "\xff"])
def test_a_file_of_nodes_that_cannot_be_read_is_told(content: str, tmp_path: Any) -> None:
    file = tmp_path / "nodes.toml"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(UsageError, match=r"nodes\.toml"):
        nodes.known_nodes([], file)
    with pytest.raises(UsageError, match="is not there"):
        nodes.known_nodes([], tmp_path / "absent.toml")
