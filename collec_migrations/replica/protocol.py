"""Ask a primary as its standbys do: by the replication protocol, with their role and password.

That it answers also proves that a standby on this machine will be let in.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from collec_migrations.errors import ConnectionFailed, ReplicationRefused
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import Connection, first_line
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import lsn


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a server says of itself to a standby."""

    system: str
    timeline: int
    position: int
    """Where it writes, or how far it has received."""
    history: lsn.History
    """Its former timelines, and where each was left."""


def identify(address: Address) -> Identity:
    """Return who answers; raise ReplicationRefused when a standby would not be let in."""
    with _connected(address) as connection, connection.cursor() as cursor:
        cursor.execute("IDENTIFY_SYSTEM")
        row = cursor.fetchone()
        assert row is not None
        system, timeline, position = str(row[0]), int(row[1]), lsn.parse(row[2])
        content = ""
        if timeline > 1:  # the first timeline has no history
            cursor.execute(f"TIMELINE_HISTORY {timeline}")
            row = cursor.fetchone()
            assert row is not None
            content = _text(row[1])
        return Identity(
            system=system, timeline=timeline, position=position, history=lsn.history(content)
        )


@contextmanager
def _connected(address: Address) -> Iterator[Connection]:
    try:
        with closing(database.connect_for_replication(address)) as connection:
            yield connection
    except ConnectionFailed as error:
        raise ReplicationRefused(
            f"a standby of this machine is not let in: {error}",
            hint="Its pg_hba.conf needs a line for `replication` and this address, and the "
            "password file one for the role: see `replica primary`.",
        ) from error
    except database.Error as error:
        raise ReplicationRefused(f"the primary does not answer: {first_line(error)}") from error


def _text(value: object) -> str:
    """Return a history file, which comes as bytes or as text."""
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    text = str(value)
    # bytea in its text form
    return bytes.fromhex(text[2:]).decode("utf-8", "replace") if text.startswith("\\x") else text
