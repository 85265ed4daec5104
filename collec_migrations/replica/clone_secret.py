"""The password file of a standby: judged as libpq will, before anything depends on it."""

import os
import stat
from pathlib import Path

from collec_migrations.errors import UsageError
from collec_migrations.postgres import passfile
from collec_migrations.postgres.account import Account
from collec_migrations.replica import owned
from collec_migrations.replica.clone_order import DATABASE, Order


def where(order: Order, account: Account) -> Path:
    """Return the standby's password file: the one that was named, else the account's own."""
    return order.passfile or Path(f"~{account.name}/.pgpass").expanduser()


def password(order: Order, account: Account) -> str:
    """Return the password that the standby will find, read as the server's account.

    Raises UsageError when it would find none: no such file, not readable by that account, readable
    by others (libpq then ignores it), or without a line for this primary.
    """
    path = where(order, account)
    if not path.is_file():
        raise UsageError(f"the password file {path} is not there", hint=_made(path, account, order))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UsageError(
            f"others may read the password file {path}: libpq ignores it",
            hint=f"chmod 600 {path}; if others could read it, set the password anew.",
        )
    text = owned.read(path, account)
    if not text and path.stat().st_size:
        raise UsageError(
            f"{account.name}, who runs the server, cannot read the password file {path}",
            hint=f"chown {account.name} {path}, in a folder that this account may enter.",
        )
    found = ""
    for database in (DATABASE, "replication"):
        key = (order.host, str(order.port), database, order.user)
        line = passfile.lookup(text, key)
        if line is None:
            raise UsageError(
                f"the password file {path} has no line for {':'.join(key)}",
                hint=f"Add the line {order.host}:{order.port}:*:{order.user}:PASSWORD",
            )
        found = line
    return found


def _made(path: Path, account: Account, order: Order) -> str:
    who = "" if account.uid == os.geteuid() else f"-o {account.name} "
    return (
        "`replica primary --apply` made one on the primary: copy it here, then"
        f" install {who}-m 600 COPY {path}. Its line: {order.host}:{order.port}:*:{order.user}:..."
    )
