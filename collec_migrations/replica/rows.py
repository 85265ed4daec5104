"""Rows of PostgreSQL's views as values. Pure."""

from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

from collec_migrations.replica import lsn
from collec_migrations.replica.states import Receiver, Sender, Slot

DEFAULT_PORT = 5432
Row = tuple[Any, ...]  # columns of several types


def receiver(row: Row) -> Receiver:
    """Return what `replica_receiver.sql` gives."""
    status, timeline, age, slot, conninfo = row
    parts = _parts(conninfo or "")
    return Receiver(
        status=status or "",
        timeline=timeline,
        message_age=age,
        slot=slot or "",
        name=parts.get("application_name", ""),
        host=parts.get("hostaddr") or parts.get("host", ""),
        port=int(parts["port"]) if parts.get("port", "").isdigit() else None,
    )


def upstream(conninfo: str, receiver: Receiver | None) -> tuple[str, int] | None:
    """Return host and port of the primary: what is received from, else what is configured."""
    if receiver and receiver.host:
        return receiver.host, receiver.port or DEFAULT_PORT
    parts = _parts(conninfo)
    host = parts.get("hostaddr") or parts.get("host", "")
    return (host, int(parts.get("port", DEFAULT_PORT))) if host else None


def _parts(conninfo: str) -> dict[str, str]:
    """Return the parts of a connection string, none when a newer libpq wrote it."""
    try:
        return {name: str(value) for name, value in parse_dsn(conninfo).items()}
    except psycopg2.ProgrammingError:
        return {}


def sender(row: Row) -> Sender:
    """Return what `replica_senders.sql` gives."""
    pid, name, client, state, sync_state, sent, replayed, reply_time = row
    return Sender(
        pid=pid,
        name=name or "",
        client=client or "",
        state=state or "",
        sync_state=sync_state or "",
        sent=position(sent),
        replayed=position(replayed),
        reply_time=reply_time,
    )


def slot(row: Row) -> Slot:
    """Return what `replica_slots.sql` gives."""
    name, kind, active, pid, at, wal_status, invalidation = row
    return Slot(
        name=name,
        physical=kind == "physical",
        active=active,
        pid=pid,
        position=position(at),
        wal_status=wal_status or "",
        invalidation=invalidation or "",
    )


def position(text: str | None) -> int | None:
    """Return a position, None for null."""
    return None if text is None else lsn.parse(text)
