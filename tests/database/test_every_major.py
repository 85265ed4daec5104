"""Every verb by its own command on each major at hand: from this run comes the table of the docs.

`python -m tools.majors` runs it on all servers and writes docs/servers.md. A verb is noted when
its command ended as it should, and the database or the standby is as it has to be.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collec_migrations.backup import trial_restore
from collec_migrations.postgres import binaries
from collec_migrations.replica import local_node, standby_config
from collec_migrations.replica.standby_config import Upstream
from tests import backups, chain, clusters, primaries, servers, sites
from tests.clusters import Site
from tests.conftest import Servers
from tests.faults import until
from tests.installing import installations
from tests.servers import Server

VERB = "verb"
"""The name of the property of a test's report."""
Note = Callable[[str], None]
NEEDED = ("pg_basebackup", "pg_controldata", "pg_rewind")
MAJORS = pytest.mark.parametrize("major", servers.majors(), ids=lambda major: f"pg{major}")


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Return the function that notes a verb which has done its work."""
    return lambda verb: record_property(VERB, verb)


def run(*words: str | Path | int, status: int = 0) -> str:
    """Run a command that has to end with a status; return what it said."""
    done = clusters.command(*words)
    assert done.exit_code == status, done.output
    return done.output


def test_the_chain_up_and_down(any_server: Server, note: Note) -> None:
    with any_server.database() as address:
        at = ("--url", address.url)
        run("upgrade", *at, "--no-backup", "--yes")
        assert chain.catalog(address) == chain.known(chain.HEAD)
        note("upgrade")
        assert chain.HEAD in run("detect", *at)
        note("detect")
        run("verify", *at)
        note("verify")
        run("downgrade", "1.0.8", *at, "--yes")
        assert chain.catalog(address) == chain.known("1.0.8")
        note("downgrade")
        assert chain.HEAD in run("upgrade", *at, "--no-backup", "--plan")
        assert chain.catalog(address) == chain.known("1.0.8")
        note("plan")
        chain.execute(address, "drop table col.alembic_version")
        run("adopt", *at, "--yes")
        assert chain.query(address, "select * from col.alembic_version") == [("1.0.8",)]
        note("adopt")
        any_server.psql(chain.offline("1.0.8:head"), address.dbname)
        assert chain.catalog(address) == chain.known(chain.HEAD)
        note("--sql")


def test_a_backup_and_what_is_done_with_it(
    any_server: Server, server: Servers, note: Note, tmp_path: Path
) -> None:
    programs = trial_restore.tools_of(any_server.binaries)
    # Where this major's pg_dump cannot be had, another's wrote it: then restored into that major.
    if int(programs.major) not in servers.majors():
        pytest.skip(f"there is no pg_dump of {any_server.major}, and no server {programs.major}")
    newer = any_server if programs.major == any_server.major else server(int(programs.major))
    remark = "" if newer is any_server else f": by pg_dump {newer.major}, into {newer.major}"
    laboratory = backups.laboratory_at(any_server, "1.0.8")
    with any_server.database(laboratory) as address, newer.database() as target:
        into = ("--into", tmp_path)
        clients = ("--bindir", any_server.binaries.bin_dir)
        run("backup", "run", "--url", address.url, *clients, *into)
        note(f"backup run{remark.partition(',')[0]}")
        run("backup", "verify", "last", *into)
        note(f"backup verify{remark}")
        run("backup", "restore", "last", "--to", target.url, "--yes", *clients, *into)
        assert chain.catalog(target) == chain.catalog(address)
        schemas = ("gacl", "col", "public")
        assert backups.contents(target, *schemas) == backups.contents(address, *schemas)
        note(f"backup restore{remark}")
        source = ("--url", address.url) if newer is any_server else ("--from", "last", *into)
        assert "would succeed" in run("rehearse", *source)
        note(f"rehearse{remark}")
        # A server without fsync, whose backup was never verified, is not well.
        told = run("doctor", "--url", address.url, *into, status=3)
        assert f"PostgreSQL {any_server.major}." in told
        note("doctor")


@MAJORS
def test_an_installation(major: int, note: Note) -> None:
    with sites.running(major) as site, installations.lab(site, "lab") as lab:
        done = lab.install(installations.RULES)
        assert done.exit_code == 0, done.output
        assert lab.enters() == ""
        note("install")


@pytest.fixture
def site(major: int) -> Iterator[Site]:
    """Return a folder for a primary and its standby."""
    with clusters.site(major) as made:
        yield made


def lacking(major: int) -> list[str]:
    """Return the programs of a standby that cannot be had of a major."""
    at_hand = [one for one in binaries.at_hand() if one.major == major]
    return min(([name for name in NEEDED if not one.program(name).is_file()] for one in at_hand),
               key=len)  # fmt: skip


def copied(made: primaries.Prepared, port: int) -> None:
    """Make a standby by hand, where there is no pg_basebackup: a copy of the stopped primary."""
    primary, standby = (made.site.node(name) for name in ("primary", "standby"))
    local_node.stop(primary)
    subprocess.run(["cp", "-a", str(primary.data), str(standby.data)], check=True)
    upstream = Upstream(
        host="127.0.0.1", port=made.port, user="rep", name="standby", slot="standby_slot",
        passfile=made.passfile,
    )  # fmt: skip
    standby_config.write_standby(standby.data, upstream)
    standby_config.write_settings(standby.data, {"port": str(port)})
    local_node.start(primary)
    made.execute("select pg_create_physical_replication_slot('standby_slot')")
    local_node.start(standby)


@MAJORS
def test_the_life_of_a_standby(site: Site, major: int, note: Note) -> None:
    lacks = lacking(major)
    made = primaries.prepare(site)
    note("replica primary")
    rules = site.home / "primary" / "pg_hba.conf"
    who = site.account.name
    rules.write_text(f"host postgres {who} 127.0.0.1/32 trust\n{rules.read_text()}")
    made.reload()
    made.execute("create table sample as select 1 as id")
    ports = {"primary": made.port, "standby": clusters.free_port()}
    nodes = [f"{name}=host=127.0.0.1 port={ports[name]} user={who}" for name in ports]
    listed = [word for node in nodes for word in ("--node", f"{node} dbname=postgres")]
    if lacks:
        copied(made, ports["standby"])
    else:
        clone = ("--listen", f":{ports['standby']}")
        assert "nothing blocks it" in run(*made.words("standby", *clone), "--plan")
        assert not made.left("standby")
        told = run(*made.words("standby", *clone), "--yes")
        assert "pg_verifybackup" in told or major < 13
        note("replica clone")
    made.execute("insert into sample values (2)")
    query = "select array_agg(id order by id), pg_is_in_recovery() from sample"
    at = site.address(ports["standby"])
    until(lambda: clusters.rows(at, query) == [([1, 2], True)])
    told = run("replica", "status", *listed)
    assert "standby" in told
    note("replica status")
    site.stop("primary")
    if lacks and major < 12:  # promoted by pg_ctl, of a build that is whole
        pytest.skip(f"{', '.join(lacks)} of {major} cannot be had")
    local = ("--data", site.home / "standby") if major < 12 else ()
    run("replica", "promote", "standby", *listed, *local, "--yes")
    assert clusters.rows(at, query) == [([1, 2], False)]
    note("replica promote")
    if lacks:
        pytest.skip(f"{', '.join(lacks)} of {major} cannot be had")
    chain.execute(at, "insert into sample values (3)")
    words = ("--data", site.home / "primary", "--name", "primary", "--passfile", made.passfile)
    run("replica", "rejoin", *words, *listed, "--yes")
    until(lambda: clusters.rows(made.address, query) == [([1, 2, 3], True)])
    note("replica rejoin")
