"""`make facts`, second part: what each statement of the chain locks, rewrites and reads.

Each statement runs in a transaction of its own on a database of the version before, so that
`pg_locks` shows just what it takes. Files and scans are those of PostgreSQL's own counters.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import make_dsn

from collec_migrations import sql, versions
from collec_migrations.migrate import lock_facts, required_extensions, verbs
from collec_migrations.migrate.lock_facts import Measured, Script

PATH = Path(__file__).parent.parent / "collec_migrations" / "data" / lock_facts.FILE
CHAIN, STEP = "lock_facts_chain", "lock_facts_step"

TABLES = """
select c.oid::bigint, n.nspname || '.' || c.relname, pg_catalog.pg_relation_filenode(c.oid)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('gacl', 'col') and c.relkind in ('r', 'p')
"""
LOCKS = """
select l.relation::bigint, array_agg(l.mode::text)
from pg_catalog.pg_locks l
where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.granted
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
group by 1
"""
SCANS = "select relid::bigint, seq_scan from pg_catalog.pg_stat_xact_user_tables"


def measured(dsn: str) -> dict[str, Script]:
    """Return what is measured of every script between versions that runs on this server."""
    found: dict[str, Script] = {}
    with closing(psycopg2.connect(dsn)) as server:
        server.autocommit = True
        _run(server, f"drop database if exists {CHAIN}", f"create database {CHAIN}")
        chain = sorted(versions.revisions(), key=versions.order)
        for old, new in zip(("", *chain), chain, strict=False):
            if old:
                found |= _step(server, dsn, old, new)
            options = {"url": make_dsn(dsn, dbname=CHAIN), "without_postgis": "yes"}
            verbs.upgrade({**options, "gacl": "gacl", "col": "col"}, new, say=_silent)
            if old:
                found |= _step(server, dsn, new, old)
        _run(server, f"drop database {CHAIN}")
    return found


def text(found: dict[str, Script]) -> str:
    """Return the file's text."""
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def _step(server: Connection, dsn: str, old: str, new: str) -> dict[str, Script]:
    found: dict[str, Script] = {}
    for name in versions.script_names(old, new):
        if name.endswith("-postgis.sql"):
            continue
        _run(server, f"create database {STEP} template {CHAIN}")
        with closing(psycopg2.connect(make_dsn(dsn, dbname=STEP))) as connection:
            source = versions.load(name)
            statements = dict(_statements(connection, source.text))
            found[name] = Script(
                checksum=lock_facts.checksum(source.text),
                statements={str(line): one for line, one in statements.items()},
            )
        _run(server, f"drop database {STEP}")
    return found


def _statements(connection: Connection, script: str) -> Iterator[tuple[int, Measured]]:
    with connection.cursor() as cursor:
        cursor.execute("create extension if not exists pg_trgm schema public")
        cursor.execute(required_extensions.reach_extensions())
        cursor.execute(TABLES)
        names = {oid: name for oid, name, _ in cursor.fetchall()}
        connection.commit()
        for statement in sql.split(script):
            cursor.execute(TABLES)
            files = {oid: node for oid, _, node in cursor.fetchall()}
            connection.commit()
            cursor.execute(SCANS)
            seen = dict(cursor.fetchall())
            cursor.execute(statement.text)
            cursor.execute(LOCKS)
            locks = {
                names[oid]: _strongest(modes) for oid, modes in cursor.fetchall() if oid in names
            }
            cursor.execute(SCANS)
            scans = sorted(
                names[oid]
                for oid, count in cursor.fetchall()
                if oid in names and count > seen.get(oid, 0)
            )
            cursor.execute(TABLES)
            now = {oid: node for oid, _, node in cursor.fetchall()}
            connection.commit()
            rewrites = sorted(
                names[oid] for oid in files.keys() & now if oid in names and files[oid] != now[oid]
            )
            if locks:
                yield (
                    statement.line,
                    Measured(locks=dict(sorted(locks.items())), rewrites=rewrites, scans=scans),
                )


def _strongest(modes: list[str]) -> str:
    """Return the strongest of the modes that `pg_locks` names, as the manual writes it."""
    known = {mode.replace(" ", "") + "lock": mode for mode in lock_facts.MODES}
    return max((known[mode.lower()] for mode in modes), key=lock_facts.MODES.index)


def _run(connection: Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _silent(_: str) -> None:
    """Say nothing."""
