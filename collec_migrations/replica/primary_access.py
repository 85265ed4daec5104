"""The lines of pg_hba.conf that let one standby in, and whether something lets it in already."""

import ipaddress
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from collec_migrations.errors import ConfigurationDenied, ConfigurationElsewhere, UsageError
from collec_migrations.postgres import config_block, configuration, hba_file, hba_rules, pg_versions
from collec_migrations.postgres.config_block import Block
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.hba_rules import Attempt, Rule
from collec_migrations.replica import accounts
from collec_migrations.replica.accounts import REP, REWIND
from collec_migrations.replica.clone_order import DATABASE

GOOD = ("scram-sha-256", "md5", "cert")
"""Methods that ask for something; `trust` does not, and the others suit no other machine."""


def of(standby: str, major: str, *, encrypted: bool) -> Block:
    """Return the lines for a standby at one address; `encrypted` allows TLS alone. Pure.

    Besides the WAL the two roles read in one database: what to check, what to rewind.
    """
    kind = "hostssl" if encrypted else "host"
    method = pg_versions.text("hba_method", major)
    where = network(standby)
    names = ",".join(config_block.quoted(role.name) for role in accounts.needed(major))
    lines = (
        f"{kind} replication {config_block.quoted(REP)} {where} {method}",
        f"{kind} {DATABASE} {names} {where} {method}",
    )
    return Block(name=f"standby {standby}", lines=lines)


def network(standby: str) -> str:
    """Return the one address as pg_hba.conf takes it; a name stays a name."""
    with suppress(ValueError):
        found = ipaddress.ip_network(standby)
        if found.num_addresses == 1:
            return str(found)
    if "/" in standby or not standby or any(c.isspace() or c in ',"#' for c in standby):
        raise UsageError(
            f"--standby {standby!r} is not one address",
            hint="Give the IP address from which the standby will come, or its name.",
        )
    return standby


def lets_in(connection: Connection, standby: str, *, encrypted: bool) -> bool | None:
    """Tell whether the server's rules let a standby in by password; None when they are not here."""
    try:
        path = configuration.local(connection, configuration.path(connection, "hba_file"))
    except (ConfigurationElsewhere, ConfigurationDenied):
        return None
    found = hba_file.read(path, version=connection.server_version)
    return decided(found, standby, encrypted=encrypted)


def decided(found: Sequence[Rule], standby: str, *, encrypted: bool) -> bool:
    """Tell whether rules let both roles in from an address, for sure. Pure but for names."""
    address = _resolved(standby)
    wal = Attempt(user=REP, database="", address=address, encrypted=encrypted, replication=True)
    attempts = (
        wal,
        replace(wal, database=DATABASE, replication=False),
        replace(wal, user=REWIND, database=DATABASE, replication=False),
    )
    return bool(address) and all(_good(found, attempt) for attempt in attempts)


def _good(found: Sequence[Rule], attempt: Attempt) -> bool:
    caught = hba_rules.catching(found, attempt)
    # By a name, what is meant for it counts as well.
    return bool(caught) and all(rule.method in GOOD for rule in caught)


def _resolved(standby: str) -> str:
    with suppress(OSError):
        return str(socket.getaddrinfo(standby, None)[0][4][0])
    return ""
