"""A primary and its standby for tests: made once for each major, copied for each test."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from collec_migrations.postgres import binaries, conninfo, postmaster, programs
from collec_migrations.replica import health, local_node, nodes, standby_config
from collec_migrations.replica.nodes import NamedNode, read_nodes
from collec_migrations.replica.standby_config import Upstream
from collec_migrations.replica.states import Report, Up
from tests import faults, servers
from tests.clusters import free_port
from tests.proxy import Proxy

SECRET = "xyzzy-9-plugh"
CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{home}'
port = {port}
fsync = off
wal_level = replica
max_wal_senders = 5
max_replication_slots = 5
max_connections = 20
hot_standby = on
wal_log_hints = on
wal_sender_timeout = 2s
wal_receiver_timeout = 2s
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
max_slot_wal_keep_size = 256MB
wal_keep_size = 16MB
min_wal_size = 2MB
max_wal_size = 32MB
shared_buffers = 8MB
autovacuum = off
"""
HBA = """
host all postgres 127.0.0.1/32 trust
host replication postgres 127.0.0.1/32 trust
host replication rep 127.0.0.1/32 scram-sha-256
host postgres rep 127.0.0.1/32 scram-sha-256
host postgres rewind 127.0.0.1/32 scram-sha-256
local all all trust
"""
ROLES = f"""
set password_encryption = 'scram-sha-256';
create role rep login replication password '{SECRET}';
create role rewind login password '{SECRET}';
grant execute on function pg_ls_dir(text, boolean, boolean) to rewind;
grant execute on function pg_stat_file(text, boolean) to rewind;
grant execute on function pg_read_binary_file(text) to rewind;
grant execute on function pg_read_binary_file(text, bigint, bigint, boolean) to rewind;
create table life (id serial primary key, what text);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One node of a pair."""

    name: str
    home: Path
    port: int

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def named(self) -> NamedNode:
        dsn = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"
        return NamedNode(name=self.name, address=conninfo.parse(dsn, source="test"))

    @property
    def option(self) -> str:
        return f"{self.name}={self.named.address.dsn}"

    @property
    def node(self) -> local_node.LocalNode:
        return local_node.node_at(self.data, standby_config.major_of(self.data))

    def start(self) -> None:
        local_node.start(self.node)

    def stop(self) -> None:
        local_node.stop(self.node)

    def kill(self) -> None:
        """Kill the server as a power cut does, and wait until all of it is gone."""
        found = postmaster.running(self.data)
        assert found
        listed = ["ps", "-o", "pid=", "--ppid", str(found.pid)]
        told = subprocess.run(listed, capture_output=True, text=True, check=False).stdout
        pids = [found.pid, *map(int, told.split())]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(postmaster.is_alive, pids)))

    def crash(self) -> None:
        """Let the server end without a checkpoint, as when it is killed, and nobody has to wait."""
        local_node.stop(self.node, "immediate")

    def sql(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement as the superuser."""
        with closing(psycopg2.connect(self.named.address.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(query, values or None)
                return cursor.fetchall() if cursor.description else []

    def value(self, query: str) -> object:
        return self.sql(query)[0][0]

    def configure(self, **settings: object) -> None:
        """Add settings to postgresql.conf."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def log(self) -> str:
        return self.node.log.read_text(errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Node a, which is the primary at first, and its standby b; a test may add others."""

    home: Path
    a: Machine
    b: Machine

    @property
    def passfile(self) -> Path:
        return self.home / "pgpass"

    @property
    def options(self) -> tuple[str, ...]:
        return ("--node", self.a.option, "--node", self.b.option)

    def report(self, *others: Machine) -> Report:
        """Return what `status` makes of the nodes."""
        named = [one.named for one in (self.a, self.b, *others)]
        return health.report(nodes.read_nodes(named, patience=2))

    def follows(self, standby: Machine, primary: Machine) -> bool:
        """Tell whether all is well between the two."""
        nodes = read_nodes([primary.named, standby.named], patience=2)
        report = health.report(nodes)
        return (
            all(isinstance(one, Up) for one in nodes)
            and report.node(primary.name).role == "primary"
            and report.node(standby.name).verdict == "ok"
        )

    def write(self, primary: Machine, what: str) -> None:
        primary.sql("insert into life (what) values (%s)", what)

    def caught_up(self, standby: Machine, primary: Machine) -> None:
        """Wait until a standby has replayed all that its primary wrote."""
        at = primary.value("select pg_current_wal_lsn()")
        until(lambda: standby.value(f"select pg_last_wal_replay_lsn() >= '{at}'"))

    def cut_off(self, network: Proxy) -> None:
        """Let b follow by a proxy, cut that, and write: it takes a while until that is noticed."""
        self.a.configure(wal_sender_timeout="4s")
        self.b.configure(wal_receiver_status_interval="10s", wal_receiver_timeout="60s")
        self.a.sql("select pg_reload_conf()")
        self.b.stop()
        follow(self.b, self.a, self.passfile, port=network.port)
        self.b.start()
        until(lambda: self.follows(self.b, self.a))
        network.cut()
        self.write(self.a, "not sent")

    def third(self) -> Machine:
        """Return a copy of b, as another standby c of a, which runs."""
        self.b.stop()
        c = Machine(name="c", home=self.home / "c", port=free_port())
        subprocess.run(["cp", "-a", str(self.b.home), str(c.home)], check=True)
        address(c)
        self.a.sql("select pg_create_physical_replication_slot('c_slot', true)")
        follow(c, self.a, self.passfile)
        self.b.start()
        c.start()
        until(lambda: self.follows(c, self.a))
        return c


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; a connection that fails means that it does not."""

    def holds() -> object:
        with suppress(psycopg2.Error):
            return condition()
        return False

    faults.until(holds)


@contextmanager
def template(major: int) -> Iterator[Path]:
    """Give a folder with a stopped primary `a` and its stopped standby `b`."""
    who = programs.server_account()
    found = binaries.reachable(servers.with_clients(major), who)
    top = Path(tempfile.mkdtemp(prefix="collec-pair-", dir=servers.scratch()))
    os.chown(top, who.uid, who.gid)
    try:
        a, b = (Machine(name=name, home=top / name, port=free_port()) for name in "ab")
        for one in (a, b):
            one.home.mkdir(mode=0o700)
            os.chown(one.home, who.uid, who.gid)
        _initdb(a, found, who)
        passfile(top / "pgpass", who)
        a.start()
        a.sql(ROLES)
        a.sql("select pg_create_physical_replication_slot('b_slot', true)")
        programs.run(
            [found.program("pg_basebackup"), "-D", b.data, "-X", "stream", "-c", "fast",
             "-d", f"host=127.0.0.1 port={a.port} user=postgres"],
            account=who, folder=Path("/"),
        )  # fmt: skip
        a.stop()
        yield top
    finally:
        shutil.rmtree(top)


@contextmanager
def pair(made: Path) -> Iterator[Pair]:
    """Give a running pair, copied from a template."""
    home = made.with_name(f"{made.name}-{free_port()}")
    subprocess.run(["cp", "-a", str(made), str(home)], check=True)
    a, b = (Machine(name=name, home=home / name, port=free_port()) for name in "ab")
    both = Pair(home=home, a=a, b=b)
    try:
        for one in (a, b):
            address(one)
        follow(b, a, both.passfile)
        a.start()
        b.start()
        until(lambda: both.follows(b, a))
        yield both
    finally:
        for data in home.glob("*/data*"):
            with suppress(Exception):
                local_node.stop(
                    local_node.node_at(data, standby_config.major_of(data)), "immediate"
                )
            _end(data)
        shutil.rmtree(home)


def _end(data: Path) -> None:
    """End a server that could not be stopped."""
    found = postmaster.running(data)
    if found:
        os.kill(found.pid, signal.SIGQUIT)
        until(lambda: not postmaster.is_alive(found.pid))


def follow(standby: Machine, primary: Machine, passfile: Path, port: int | None = None) -> None:
    """Make a stopped folder a standby of a primary, perhaps by a proxy's port."""
    upstream = Upstream(
        host="127.0.0.1",
        port=port or primary.port,
        user="rep",
        name=standby.name,
        slot=standby_config.slot_of(standby.name),
        passfile=passfile,
    )
    standby_config.write_standby(standby.data, upstream)


def address(one: Machine) -> None:
    """Give a stopped copy a port and a socket of its own."""
    one.configure(port=one.port, unix_socket_directories=one.home)


def passfile(path: Path, who: programs.Account) -> None:
    path.touch(mode=0o600)
    path.write_text(f"127.0.0.1:*:*:rep:{SECRET}\n127.0.0.1:*:*:rewind:{SECRET}\n")
    os.chown(path, who.uid, who.gid)


def _initdb(one: Machine, found: binaries.Binaries, who: programs.Account) -> None:
    programs.run(
        [found.program("initdb"), "-D", one.data, "-U", "postgres", "--no-sync",
         "--locale=C", "--encoding=UTF8", "--auth=trust", "--wal-segsize=1"],
        account=who, folder=one.home,
    )  # fmt: skip
    text = CONF.format(home=one.home, port=one.port)
    if found.major < 13:
        text = text.replace("wal_keep_size = 16MB", "wal_keep_segments = 16")
        text = text.replace("max_slot_wal_keep_size = 256MB\n", "")
    (one.data / "postgresql.conf").write_text(text)
    (one.data / "pg_hba.conf").write_text(HBA)
