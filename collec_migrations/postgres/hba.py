"""The access rules of a server, pg_hba.conf: a block of ours put above all others, on trial.

The first rule that matches decides, so that what stands below need not be read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg2

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    HbaRefused,
    MigrationError,
)
from collec_migrations.postgres import configuration, pg_versions
from collec_migrations.postgres.configuration import Block, Reconnect, decoded, encoded
from collec_migrations.postgres.connection import Connection, first_line

# A line with a type and an error is sound: `hostssl` where the server has no TLS can never match.
FAULTS = """
select {file}, line_number, error from pg_catalog.pg_hba_file_rules
where error is not null and type is null order by 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Something that has to hold under the new rules."""

    name: str
    check: Callable[[], None]
    """Raises MigrationError when it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of the file."""

    file: Path
    changed: bool
    copy: Path | None = None
    """The former file, when it was changed."""


def apply(
    connection: Connection, block: Block, *, reconnect: Reconnect, proofs: Sequence[Proof] = ()
) -> Applied:
    """Put a block above all rules, check the file, reload, and let the proofs run.

    `connection` is a superuser's, `reconnect` opens another one like it. On any failure, on a
    signal, and when this process is killed, the old file comes back and is loaded. Raises
    ConfigurationElsewhere or ConfigurationDenied when the file is not ours to write (the hint
    holds the text to paste), HbaRefused when something did not hold.
    """
    try:
        file = ready(connection)
        old = decoded(file.read_bytes())
        if block.is_first_in(old):
            return Applied(file=file, changed=False)
        new = encoded(block.first_in(old))
        copy = configuration.change(
            connection,
            file,
            new,
            reconnect=reconnect,
            check=partial(_check, connection, "the server does not accept the new access rules"),
            proofs=[partial(_prove, proof) for proof in proofs],
            refused=HbaRefused,
        )
        return Applied(file=file, changed=True, copy=copy)
    except (ConfigurationElsewhere, ConfigurationDenied, OSError) as error:
        raise lines_by_hand(error, block) from error


def ready(connection: Connection) -> Path:
    """Return the server's pg_hba.conf when it is sound and ours to replace.

    Raises ConfigurationElsewhere, ConfigurationDenied, HbaRefused.
    """
    file = configuration.local(connection, configuration.path(connection, "hba_file"))
    _check(connection, "the server's access rules are faulty already")
    return file


def _prove(proof: Proof) -> None:
    try:
        proof.check()
    except MigrationError as error:
        raise HbaRefused(f"{proof.name}: {error}", hint=error.hint) from error


def _check(connection: Connection, what: str) -> None:
    """Raise HbaRefused for a fault that the server sees in its file, if it is able to."""
    major = pg_versions.of(connection.server_version)
    if not pg_versions.holds("hba_file_rules_view", major):
        return
    name = "file_name" if pg_versions.holds("hba_include", major) else "''"
    with connection.cursor() as cursor:
        try:
            cursor.execute(FAULTS.format(file=name))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ConfigurationDenied(
                "this role may not read pg_hba_file_rules",
                hint="Connect as a superuser, such as postgres.",
            ) from error
        except psycopg2.Error as error:
            raise HbaRefused(f"{what}: {first_line(error)}") from error
        finally:
            if not connection.autocommit:
                connection.rollback()
        faults = cursor.fetchall()
    if faults:
        told = "; ".join(f"line {line}{f' of {file}' if file else ''}: {why}"
                         for file, line, why in faults)  # fmt: skip
        raise HbaRefused(f"{what}: {told}", hint="Fix the file first; nothing was loaded.")


def lines_by_hand(error: Exception, block: Block) -> MigrationError:
    """Return the error that says why the rules were not written, with the lines to paste."""
    return configuration.by_hand(
        error,
        what="the access rules",
        where="above all rules of the server's pg_hba.conf",
        lines=block.text,
    )
