"""Root at a socket: be the account that the server's peer authentication asks for.

PostgreSQL's peer authentication asks the system which account opened the socket (manual, 20.9).
Root has no role of its own as a rule; what `sudo -u postgres` would do is done here, for the moment
of connecting.
"""

import codecs
import getpass
import os
import pwd
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from psycopg2.extensions import make_dsn, parse_dsn

SUPERUSER = "postgres"
CODECS = ("ascii", "utf-8", "latin-1")
"""What psycopg2 may look up while it connects: `ascii` for a server with SQL_ASCII."""
_ONE_AT_A_TIME = threading.RLock()


def attempts(dsn: str, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
    """Yield addresses to try, each with the account to be meanwhile; empty: ourselves.

    Only root at a socket has more than one: the account of the role's name first, `postgres` when
    no role is named, then root itself (a server that trusts, or a password in root's own files).
    """
    parts = parse_dsn(dsn)
    host = str(parts.get("host") or environment.get("PGHOST", ""))
    far = host and not host.startswith(("/", "@"))
    named = parts.get("user") or environment.get("PGUSER", "")
    unknown = "service" in parts or bool(environment.get("PGSERVICE"))
    if os.geteuid() == 0 and not far and not parts.get("hostaddr") and not unknown:
        user = str(named or SUPERUSER)
        if user != getpass.getuser() and is_account(user):
            # The encoding is named, or psycopg2 would load another codec while we are another
            # account, who may not read our Python.
            yield str(make_dsn(dsn, user=user, client_encoding="UTF8")), user
    yield dsn, ""


def is_account(name: str) -> bool:
    """Tell whether the system knows an account of this name."""
    try:
        return pwd.getpwnam(name).pw_uid != 0
    except KeyError:
        return False


@contextmanager
def acting_as(account: str) -> Iterator[None]:
    """Be another account while a socket is opened: the server reads the effective one (unix(7))."""
    if not account:
        yield
        return
    entry = pwd.getpwnam(account)
    for codec in CODECS:
        codecs.lookup(codec)  # that account may not be able to read our Python
    with _ONE_AT_A_TIME:
        group = os.getegid()
        os.setegid(entry.pw_gid)
        try:
            os.seteuid(entry.pw_uid)
            try:
                yield
            finally:
                os.seteuid(0)
        finally:
            os.setegid(group)
