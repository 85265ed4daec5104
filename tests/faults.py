"""Faults at a chosen statement, from inside the server: no change of the product is needed.

Event triggers count commands that define, triggers on the tables of the application and of the
archive count those that change rows (a trigger on a table of the tool's own is refused); at a
chosen count they do harm: an error, an end of the backend, a stop of the server, a wait.
"""

import subprocess
import time
from collections.abc import Callable

from collec_migrations.postgres.address import Address
from tests import chain
from tests.servers import Server

GATE = 4711
"""Advisory lock on which the action `WAIT` waits."""

HOOK = """
create schema faults;
create unlogged sequence faults.passed;
create table faults.planned (at bigint, action text);
create function faults.step() returns void language plpgsql security definer as $$
declare
    place bigint := nextval('faults.passed');
    planned record;
begin
    for planned in select * from faults.planned where at <= place loop
        execute planned.action;
    end loop;
end
$$;
create function faults.on_rows() returns trigger language plpgsql security definer as $$
begin
    perform faults.step();
    return null;
end
$$;
create function faults.on_command() returns event_trigger language plpgsql security definer as $$
begin
    if current_setting('faults.off', true) is distinct from 'on' then
        perform faults.step();
    end if;
end
$$;
create function faults.watch(target regclass) returns void language plpgsql security definer as $$
begin
    if exists (select 1 from pg_class where oid = target
               and relname in ('alembic_version', 'migration_history')) then
        return;
    end if;
    perform set_config('faults.off', 'on', true);
    execute format('create trigger faults_watch before insert or update or delete on %s'
        ' for each statement execute function faults.on_rows()', target);
    perform set_config('faults.off', 'off', true);
end
$$;
create function faults.on_new_table() returns event_trigger language plpgsql security definer as $$
declare
    made record;
begin
    for made in select objid from pg_event_trigger_ddl_commands()
                where command_tag = 'CREATE TABLE' and object_type = 'table'
    loop
        perform faults.watch(made.objid::regclass);
    end loop;
end
$$;
select count(faults.watch(c.oid::regclass)) from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname in ('gacl', 'col');
create event trigger faults_command on ddl_command_start execute function faults.on_command();
create event trigger faults_new on ddl_command_end when tag in ('CREATE TABLE')
    execute function faults.on_new_table();
"""
UNHOOK = """
drop event trigger faults_command; drop event trigger faults_new; drop schema faults cascade;
"""

RAISE = "do $x$ begin raise exception 'a fault'; end $x$"
DISK_FULL = (
    "do $x$ begin raise exception 'could not extend file: No space left on device'"
    " using errcode = '53100'; end $x$"
)
TERMINATE = "select pg_terminate_backend(pg_backend_pid()), pg_sleep(10)"
WAIT = f"select pg_advisory_xact_lock_shared({GATE})"
CANCEL = "select pg_cancel_backend(pg_backend_pid()), pg_sleep(10)"


def shell(command: str) -> str:
    """Return an action that runs a command of the system as the server's account."""
    return f"copy (select 1) to program $p$cat >/dev/null; {command}; sleep 10$p$"


KILL_BACKEND = (
    "do $x$ begin execute format('copy (select 1) to program %L', "
    "'kill -9 ' || pg_backend_pid()); perform pg_sleep(10); end $x$"
)
STOP_AT_ONCE = shell("kill -QUIT $(head -n 1 postmaster.pid)")


def hook(address: Address) -> None:
    """Install the counting; drop it by `unhook`."""
    chain.execute(address, HOOK)


def unhook(address: Address) -> None:
    """Remove everything that `hook` made."""
    chain.execute(address, UNHOOK)


def plan(address: Address, at: int, action: str) -> None:
    """Let the `at`-th counted statement from now, and all after it, do harm."""
    planned = f"insert into faults.planned values ({at}, $plan${action}$plan$)"
    chain.execute(
        address,
        f"delete from faults.planned; select setval('faults.passed', 1, false); {planned}",
    )


def count(address: Address, work: Callable[[], object]) -> int:
    """Return how many statements are counted while `work` runs."""
    plan(address, 1_000_000, "select")
    work()
    ((passed,),) = chain.query(address, "select last_value from faults.passed")
    return int(str(passed))


def counted(server: Server, address: Address) -> int:
    """Return how many statements an upgrade of this database has, tried on a copy."""
    with server.database(address.dbname) as copy:
        return count(copy, lambda: chain.upgrade(copy))


def spread(total: int, number: int) -> list[int]:
    """Return about `number` positions from the first to the last."""
    return sorted({*range(1, total + 1, max(1, total // number)), total})


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def blocked_inside(address: Address, process: subprocess.Popen[str]) -> list[object]:
    """Return the sessions seen waiting inside the server for an advisory lock, until the end."""
    waits = "select pid from pg_locks where locktype = 'advisory' and not granted"
    seen: list[object] = []
    with chain.connected(address) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while process.poll() is None:
            cursor.execute(waits)
            seen += cursor.fetchall()
            time.sleep(0.01)
    return seen
