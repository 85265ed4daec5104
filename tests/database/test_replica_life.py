"""The whole life of a pair: fail over, come back, switch over and back, nothing lost."""

from typer.testing import CliRunner

from collec_migrations.cli.main import app
from tests.standbys import Machine, Pair, until

OPERATOR = """
create role operator login replication in role pg_monitor, pg_checkpoint;
grant execute on function pg_promote(boolean, integer) to operator;
"""
"""As docs/standby.md gives it: no superuser; from 15 on."""


def options(pair: Pair, role: str) -> list[str]:
    """Return the nodes as a role reaches them."""
    return [word.replace("user=postgres", f"user={role}") for word in pair.options]


def let_in(pair: Pair) -> None:
    """Make the role of the manual."""
    for one in (pair.a, pair.b):
        with (one.data / "pg_hba.conf").open("a") as file:
            file.write("host postgres operator 127.0.0.1/32 trust\n")
        one.sql("select pg_reload_conf()")
    # Before 15 only a superuser may make the checkpoint that a rewind needs.
    has_role = pair.a.sql("select 1 from pg_roles where rolname = 'pg_checkpoint'")
    pair.a.sql(OPERATOR if has_role else "create role operator superuser login replication")


def replica(*words: object) -> tuple[int, str]:
    """Run `replica` in this process; return exit status and all that it wrote."""
    done = CliRunner().invoke(app, ["replica", *map(str, words)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def rejoin(pair: Pair, one: Machine, *words: object, role: str = "postgres") -> tuple[int, str]:
    """Let a node come back."""
    where = ("--data", one.data, "--name", one.name, "--passfile", pair.passfile)
    return replica("rejoin", *where, *options(pair, role), "--yes", *words)


def switchover(pair: Pair, one: Machine, role: str = "postgres") -> tuple[int, str]:
    """Exchange the roles; `one` is the primary."""
    where = ("--data", one.data, "--name", one.name, "--passfile", pair.passfile)
    return replica("promote", "--switchover", *where, *options(pair, role), "--yes")


def lives(one: Machine) -> list[tuple[object, ...]]:
    return one.sql("select what from life order by id")


def test_the_whole_life(pair18: Pair) -> None:
    pair = pair18
    a, b = pair.a, pair.b
    let_in(pair)
    pair.write(a, "before")
    pair.caught_up(b, a)
    a.kill()
    status, told = replica("promote", *options(pair, "operator"), "--yes")
    assert status == 0, told
    assert f"database.default.port = {b.port}" in told
    pair.write(b, "after the failover")
    status, told = rejoin(pair, a, role="operator")
    assert status == 0, told
    assert "after a rewind" in told
    pair.caught_up(a, b)
    assert pair.follows(a, b)
    assert a.value("show port") == str(a.port)  # its own configuration stayed
    assert not a.sql("select slot_name from pg_replication_slots")
    pair.write(b, "before the switchover")
    status, told = switchover(pair, b, "operator")
    assert status == 0, told
    assert "bytes lost: 0" in told
    assert not b.sql("select slot_name from pg_replication_slots")
    pair.write(a, "after the switchover")
    pair.caught_up(b, a)
    assert pair.follows(b, a)
    status, told = switchover(pair, a, "operator")
    assert status == 0, told
    pair.write(b, "and back")
    pair.caught_up(a, b)
    until(lambda: pair.report().verdict == "ok")
    assert [what for (what,) in lives(b)] == [
        "before", "after the failover", "before the switchover", "after the switchover", "and back",
    ]  # fmt: skip
    assert lives(a) == lives(b)
