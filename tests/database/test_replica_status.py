"""`replica status` tells every state that looks healthy but is not (facts 4.3).

Each test shows first that the usual check finds nothing: the trap is real.
"""

from contextlib import ExitStack, closing

from collec_migrations.postgres import connection as database
from collec_migrations.replica import health, nodes
from collec_migrations.replica.states import Limits
from collec_migrations.replica.streaming import slot_is_usable
from tests import standbys
from tests.proxy import proxy
from tests.standbys import Machine, Pair, until


def codes(pair: Pair, name: str) -> list[str]:
    """Return what is found about a node, or about the whole when the name is empty."""
    report = pair.report()
    return [one.code for one in (report.node(name).findings if name else report.findings)]


def lag_bytes(pair: Pair) -> int | None:
    lag = pair.report().node("b").lag
    return lag.to_replay if lag else None


def in_recovery(machine: Machine) -> bool:
    """Check a standby in the usual way."""
    return machine.value("select pg_is_in_recovery()") is True


def streaming(pair: Pair) -> bool:
    """Check a standby in the usual way, on both sides."""
    sent = pair.a.sql("select state from pg_stat_replication")
    received = pair.b.sql("select status from pg_stat_wal_receiver")
    return sent == [("streaming",)] and received == [("streaming",)]


def test_a_healthy_pair_is_ok(any_pair: Pair) -> None:
    until(lambda: lag_bytes(any_pair) == 0)
    report = any_pair.report()
    assert report.verdict == "ok", report
    assert [one.role for one in report.nodes] == ["primary", "standby"]
    assert report.node("b").slot == "b_slot reserved"


def test_1_an_old_primary_that_came_back_without_a_rewind(pair18: Pair) -> None:
    pair = pair18
    pair.a.kill()
    pair.b.sql("select pg_promote()")
    pair.b.sql("select pg_create_physical_replication_slot('a_slot', true)")
    pair.a.start()  # nobody stops it: it takes a write, then somebody makes it a standby
    pair.a.sql("insert into life (what) select md5(i::text) from generate_series(1, 500) i")
    pair.a.stop()
    pair.write(pair.b, "on the new timeline")
    standbys.follow(pair.a, pair.b, pair.passfile)
    pair.a.start()
    until(lambda: pair.a.sql("select 1 from pg_stat_wal_receiver"))
    assert in_recovery(pair.a)
    report = pair.report()
    assert report.node("a").verdict == "broken"
    assert report.node("a").findings[0].code == "diverged"
    assert report.node("b").role == "primary"


def test_2_a_slot_whose_wal_is_gone(pair18: Pair) -> None:
    pair = pair18
    pair.a.configure(max_slot_wal_keep_size="1MB", wal_keep_size=0)
    pair.a.sql("select pg_reload_conf()")
    pair.b.stop()
    for _ in range(6):
        pair.a.sql("insert into life (what) select md5(i::text) from generate_series(1, 9000) i")
        pair.a.sql("select pg_switch_wal()")
    pair.a.sql("checkpoint")
    until(lambda: pair.a.value("select wal_status from pg_replication_slots") == "lost")
    pair.b.start()
    assert in_recovery(pair.b)
    assert pair.b.value("select count(*) from life") == 0
    found = codes(pair, "b")
    assert found[0] == "slot-lost"
    assert "no-receiver" in found


def test_3_a_replay_paused_by_hand(pair18: Pair) -> None:
    pair = pair18
    pair.b.sql("select pg_wal_replay_pause()")
    pair.write(pair.a, "waits")
    at = pair.a.value("select pg_current_wal_flush_lsn()")
    until(lambda: pair.b.value(f"select pg_last_wal_receive_lsn() >= '{at}'"))
    assert in_recovery(pair.b)
    assert streaming(pair)
    (finding,) = pair.report().node("b").findings
    assert finding.code == "replay-paused"
    assert "0 bytes" not in finding.message
    assert "select pg_wal_replay_resume()" in finding.hint
    pair.b.sql(finding.hint.partition(": ")[2].rstrip("."))
    pair.caught_up(pair.b, pair.a)
    assert pair.report().verdict == "ok"


def test_3_a_replay_paused_by_a_parameter(pair18: Pair) -> None:
    pair = pair18
    pair.a.configure(max_connections=30)
    pair.a.stop()
    pair.a.start()
    until(lambda: pair.b.value("select pg_is_wal_replay_paused()"))
    until(lambda: streaming(pair))
    assert in_recovery(pair.b)
    (finding,) = pair.report().node("b").findings
    assert (finding.code, finding.level) == ("parameters", "error")
    assert "max_connections 20 < 30" in finding.message


def test_4_a_network_that_swallows_everything(pair18: Pair) -> None:
    pair = pair18
    with ExitStack() as stack:
        network = stack.enter_context(proxy(pair.a.port))
        for one in (pair.a, pair.b):  # so long that neither side gives up
            one.configure(wal_sender_timeout="60s", wal_receiver_timeout="60s")
            one.sql("select pg_reload_conf()")
        pair.b.stop()
        standbys.follow(pair.b, pair.a, pair.passfile, port=network.port)
        pair.b.start()
        until(lambda: pair.follows(pair.b, pair.a))
        same = "select pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
        pair.caught_up(pair.b, pair.a)
        until(lambda: pair.b.value(same))
        # Before its first reply, b is known to be cut off only later (`quiet_after`).
        until(lambda: pair.a.value("select reply_time is not null from pg_stat_replication"))
        network.cut()
        pair.write(pair.a, "does not come through")
        until(lambda: codes(pair, "b") == ["silent"])
        assert in_recovery(pair.b)
        assert streaming(pair)
        assert pair.b.value(same)
        lag = pair.report().node("b").lag
        assert lag
        assert lag.to_receive
        assert lag.seconds
        network.heal()
        until(lambda: pair.report().verdict == "ok")


def test_5_an_idle_primary_is_not_a_lag(pair18: Pair) -> None:
    pair = pair18
    pair.write(pair.a, "the last one")
    pair.caught_up(pair.b, pair.a)
    age = "extract(epoch from now() - pg_last_xact_replay_timestamp())"
    until(lambda: pair.b.value(f"select {age} > 0.2"))
    until(lambda: late(pair)[0] == 0)
    assert (late(pair)[1] or 0) > 0.2  # what is usually taken for the lag
    pair.a.sql("checkpoint")
    pair.caught_up(pair.b, pair.a)
    pair.b.sql("checkpoint")  # nothing is left to replay after the restart
    pair.b.stop()
    pair.b.start()
    until(lambda: pair.follows(pair.b, pair.a))
    assert pair.b.value(f"select {age}") is None
    until(lambda: late(pair) == (0, None))


def late(pair: Pair) -> tuple[float | None, float | None]:
    """Return the seconds of lag, and those since the last transaction that was replayed."""
    lag = pair.report().node("b").lag
    assert lag
    return lag.seconds, lag.since_replay


def test_6_bytes_are_counted_from_the_primary_and_not_from_replay_lag(pair18: Pair) -> None:
    pair = pair18
    pair.b.sql("select pg_wal_replay_pause()")
    pair.a.sql("insert into life (what) select md5(i::text) from generate_series(1, 20000) i")
    at = pair.a.value("select pg_current_wal_flush_lsn()")
    until(lambda: pair.b.value(f"select pg_last_wal_receive_lsn() >= '{at}'"))
    told = pair.a.value(
        "select coalesce(extract(epoch from replay_lag), 0) from pg_stat_replication"
    )
    assert float(str(told)) < 2  # all seems nearly well
    limits = Limits(bytes=100_000)
    report = health.report(nodes.read_nodes([pair.a.named, pair.b.named]), limits)
    lag = report.node("b").lag
    assert lag
    assert lag.to_replay
    assert lag.to_replay > 1_000_000
    assert "lag" in [one.code for one in report.node("b").findings]


def test_7_two_primaries(pair18: Pair) -> None:
    pair = pair18
    pair.b.sql("select pg_promote()")
    for one in (pair.a, pair.b):  # each of them looks fine, alone
        pair.write(one, "taken")
        alone = health.report(nodes.read_nodes([one.named]))
        assert alone.verdict != "broken"
    report = pair.report()
    (finding,) = report.findings
    assert finding.code == "two-primaries"
    assert "b (timeline 2" in finding.message
    assert "a (timeline 1" in finding.message
    assert report.node("a").findings[0].code == "second-primary"
    assert report.node("b").role == "primary"


def test_a_standby_that_refuses_reads_is_judged_by_its_primary(pair18: Pair) -> None:
    pair = pair18
    pair.b.stop()
    pair.b.configure(hot_standby="off")
    pair.b.start()
    until(lambda: pair.a.sql("select 1 from pg_stat_replication where state = 'streaming'"))
    report = pair.report()
    assert report.verdict == "ok", report
    assert report.node("b").role == "standby"
    assert report.node("b").lag


def test_a_node_that_is_down_and_one_that_does_not_let_us_in(pair18: Pair) -> None:
    pair = pair18
    pair.b.kill()
    assert codes(pair, "b") == ["down"]
    assert codes(pair, "a") in ([], ["slot-inactive"])  # from the moment when a notices
    (pair.a.data / "pg_hba.conf").write_text("local all all trust\n")
    pair.a.sql("select pg_reload_conf()")
    until(lambda: "does not let us in" in pair.report().node("a").line)
    assert codes(pair, "") == ["no-primary"]


def test_a_slot_that_is_in_use_is_not_usable_by_another(pair18: Pair) -> None:
    pair18.caught_up(pair18.b, pair18.a)
    with closing(database.connect(pair18.a.named.address)) as connection:
        slot = pair18.a.value("select slot_name from pg_replication_slots where active")
        assert not slot_is_usable(connection, str(slot))
        assert not slot_is_usable(connection, "not_there")
        pair18.a.sql("select pg_create_physical_replication_slot('unused', true)")
        connection.rollback()
        assert slot_is_usable(connection, "unused")
        pair18.a.sql("select pg_drop_replication_slot('unused')")
