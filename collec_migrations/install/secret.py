"""The account's password: where it comes from, and the password file that keeps it."""

import shlex
from collections.abc import Mapping, Sequence

from collec_migrations.errors import UsageError
from collec_migrations.install.administrator import Administrator
from collec_migrations.install.inventory import Found
from collec_migrations.install.pieces import Piece
from collec_migrations.install.request import Wanted
from collec_migrations.postgres import passfile, password
from collec_migrations.postgres.passfile import Entry
from collec_migrations.postgres.password import VARIABLE, Ask, Password


def known(
    admin: Administrator, wanted: Wanted, found: Found, environment: Mapping[str, str]
) -> Password | None:
    """Return the password that is told: by the environment, else by the password file."""
    given = password.from_environment(VARIABLE, environment)
    if given is not None or wanted.passfile is None:
        return given
    held = _held(admin, wanted, found)
    return Password.parse(held, source=str(wanted.passfile)) if held else None


def new(wanted: Wanted, *, ask: Ask | None) -> Password:
    """Return a password for a new account: asked on a terminal, if there is one, else generated.

    Raises UsageError when nobody would ever learn it.
    """
    answer = None
    if ask is not None:
        question = f"Password for the new role {wanted.owner} (empty: one is made)"
        answer = password.from_terminal(question, ask=ask)
    if answer is None:
        check_learnt(wanted)
    return answer or password.generated()


def source(wanted: Wanted, known: Password | None, environment: Mapping[str, str]) -> str:
    """Return where the password of a new role comes from."""
    if VARIABLE in environment:
        return f"from {VARIABLE}"
    if known is not None:
        return f"from {wanted.passfile}"
    if wanted.passfile is not None:
        return f"asked for on a terminal, else made by chance; kept in {wanted.passfile}"
    return f"given on a terminal or in {VARIABLE}"


def check_learnt(wanted: Wanted) -> None:
    """Raise UsageError when a generated password would be written nowhere."""
    if wanted.passfile is None:
        raise UsageError(
            f"there is no password for the new role {wanted.owner!r}",
            hint=f"Set {VARIABLE}, or give --passfile PATH to have one made and kept there.",
        )


def piece(
    admin: Administrator, wanted: Wanted, found: Found, secret: Password | None
) -> Piece | None:
    """Return what becomes of the password file; None when none is wanted. Raises UsageError."""
    if wanted.passfile is None:
        return None
    name = str(wanted.passfile)
    if secret is None and found.role is not None:
        raise UsageError(
            f"role {wanted.owner!r} exists and its password is not known",
            hint=f"Set {VARIABLE} to it, or leave --passfile out.",
        )
    held = _held(admin, wanted, found)
    if held is None:
        return Piece(kind="password file", name=name, state="make", detail="for its owner alone")
    if secret is not None and held != secret.clear:
        return Piece(
            kind="password file", name=name, state="differs",
            detail=f"it holds another password than {VARIABLE}",
            advice="remove its line, then run this again",
        )  # fmt: skip
    if wanted.passfile.stat().st_mode & 0o077:
        return Piece(
            kind="password file", name=name, state="differs",
            detail="others may read it, and so libpq does not",
            advice=f"chmod 600 {shlex.quote(name)}",
        )  # fmt: skip
    return Piece(kind="password file", name=name, state="there")


def keep(admin: Administrator, wanted: Wanted, found: Found, secret: Password) -> None:
    """Write the password file; what is there of others stays. Raises PassfileFailed."""
    assert wanted.passfile is not None
    passfile.write(wanted.passfile, _entries(admin, wanted, found, secret))


def _held(admin: Administrator, wanted: Wanted, found: Found) -> str | None:
    assert wanted.passfile is not None
    text = passfile.read(wanted.passfile)
    key = _entries(admin, wanted, found, Password("unused"))[0].key
    return passfile.lookup(text, key)


def _entries(
    admin: Administrator, wanted: Wanted, found: Found, secret: Password
) -> Sequence[Entry]:
    """Return the entries for every name by which this machine reaches the server."""
    local = not admin.host or admin.host.startswith("/")
    # libpq looks a default socket up as localhost, and another one under its folder.
    hosts = ("localhost", "127.0.0.1", *found.server.sockets[:1]) if local else (admin.host,)
    return [
        Entry(host=host, port=str(found.server.port), database=wanted.database,
              user=wanted.owner, password=secret)
        for host in hosts
    ]  # fmt: skip
