"""Hand a connection to PostgreSQL's programs without a password on any command line."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import UsageError
from collec_migrations.postgres.conninfo import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How a program of PostgreSQL reaches a database."""

    dsn: str
    """For the command line: everything but the password."""
    environment: Mapping[str, str] = field(repr=False)
    descriptors: tuple[int, ...]
    """What the program has to inherit."""
    secret: str = field(repr=False)

    def without_secret(self, text: str) -> str:
        """Return a text with the password struck out."""
        return text.replace(self.secret, "***") if self.secret else text

    def start(self, command: tuple[str, ...], *inherited: int) -> subprocess.Popen[bytes]:
        """Start a program that comes in by this door; its messages are read from `stderr`."""
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.environment),
            umask=0o077,
            pass_fds=(*self.descriptors, *inherited),
        )


def to(address: Address, dbname: str) -> Address:
    """Return the address of another database on the same server."""
    return Address(str(make_dsn(address.dsn, dbname=dbname)))


@contextmanager
def door(address: Address, environ: Mapping[str, str] = os.environ) -> Iterator[Door]:
    """Give a way in for programs: the password lies in a file that exists in memory alone."""
    parts = parse_dsn(address.dsn)
    if parts.pop("sslpassword", None):
        raise UsageError(
            "the address holds sslpassword, which cannot be handed on safely",
            hint="Use a client key without a passphrase, readable by its owner alone.",
        )
    inherited = {name: text for name, text in environ.items() if not name.startswith("COLLEC_")}
    secret = inherited.pop("PGPASSWORD", "")
    secret = parts.pop("password", secret)
    environment = {**inherited, "LC_ALL": "C", "PGAPPNAME": "collec-migrations"}
    if not secret:
        yield Door(dsn=_dsn(parts), environment=environment, descriptors=(), secret="")
        return
    parts.pop("passfile", None)
    # A file on the disk would stay when we are killed.
    descriptor = os.memfd_create("passfile")
    try:
        os.fchmod(descriptor, 0o600)  # libpq ignores a file that others may read
        os.write(descriptor, _line(secret).encode())
        environment["PGPASSFILE"] = f"/proc/self/fd/{descriptor}"
        yield Door(
            dsn=_dsn(parts), environment=environment, descriptors=(descriptor,), secret=secret
        )
    finally:
        os.close(descriptor)


def _dsn(parts: Mapping[str, str]) -> str:
    return str(make_dsn(**parts)) if parts else ""


def _line(password: str) -> str:
    if "\n" in password:
        raise UsageError("the password holds a line break, which no password file can hold")
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"
