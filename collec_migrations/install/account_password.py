"""The account's password: where it comes from, and the password file that keeps it."""

import shlex
from collections.abc import Mapping, Sequence

from collec_migrations.errors import UsageError
from collec_migrations.install.resources import Resource
from collec_migrations.install.state import Desired, Found
from collec_migrations.postgres import password
from collec_migrations.postgres.connection import Administrator
from collec_migrations.postgres.password import VARIABLE, Ask, PassfileEntry, Password


def known(
    admin: Administrator, desired: Desired, found: Found, environment: Mapping[str, str]
) -> Password | None:
    """Return the password that is given: by the environment, else by the password file."""
    given = password.from_environment(VARIABLE, environment)
    if given is not None or desired.passfile is None:
        return given
    held = _held(admin, desired, found)
    return Password.parse(held, source=str(desired.passfile)) if held else None


def new(desired: Desired, *, ask: Ask | None) -> Password:
    """Return a password for a new account: asked on a terminal, if there is one, else generated.

    Raises UsageError when nobody would ever learn it.
    """
    answer = None
    if ask is not None:
        question = f"Password for the new role {desired.owner} (empty: generate one)"
        answer = password.from_terminal(question, ask=ask)
    if answer is None:
        check_learnt(desired)
    return answer or password.generated()


def source(desired: Desired, known: Password | None, environment: Mapping[str, str]) -> str:
    """Return where the password of a new role comes from."""
    if VARIABLE in environment:
        return f"from {VARIABLE}"
    if known is not None:
        return f"from {desired.passfile}"
    if desired.passfile is not None:
        return f"asked for on a terminal, else generated at random and kept in {desired.passfile}"
    return f"given on a terminal or in {VARIABLE}"


def check_learnt(desired: Desired) -> None:
    """Raise UsageError when a generated password would be written nowhere."""
    if desired.passfile is None:
        raise UsageError(
            f"there is no password for the new role {desired.owner!r}",
            hint=f"Set {VARIABLE}, or give --passfile PATH to have one generated and kept there.",
        )


def resource(
    admin: Administrator, desired: Desired, found: Found, secret: Password | None
) -> Resource | None:
    """Return what becomes of the password file; None when none is desired. Raises UsageError."""
    if desired.passfile is None:
        return None
    name = str(desired.passfile)
    if secret is None and found.role is not None:
        raise UsageError(
            f"role {desired.owner!r} exists and its password is not known",
            hint=f"Set {VARIABLE} to it, or leave --passfile out.",
        )
    held = _held(admin, desired, found)
    if held is None:
        return Resource(kind="password file", name=name, state="make", detail="for its owner alone")
    if secret is not None and held != secret.clear:
        return Resource(
            kind="password file", name=name, state="differs",
            detail=f"it holds another password than {VARIABLE}",
            advice="remove its line, then run this again",
        )  # fmt: skip
    if desired.passfile.stat().st_mode & 0o077:
        return Resource(
            kind="password file", name=name, state="differs",
            detail="others may read it, and libpq ignores such a file",
            advice=f"chmod 600 {shlex.quote(name)}",
        )  # fmt: skip
    return Resource(kind="password file", name=name, state="there")


def keep(admin: Administrator, desired: Desired, found: Found, secret: Password) -> None:
    """Write the password file; what is there of others stays. Raises PassfileFailed."""
    assert desired.passfile is not None
    password.write_passfile(desired.passfile, _entries(admin, desired, found, secret))


def _held(admin: Administrator, desired: Desired, found: Found) -> str | None:
    assert desired.passfile is not None
    text = password.read_passfile(desired.passfile)
    key = _entries(admin, desired, found, Password("unused"))[0].key
    return password.lookup_password(text, key)


def _entries(
    admin: Administrator, desired: Desired, found: Found, secret: Password
) -> Sequence[PassfileEntry]:
    """Return the entries for every name by which this machine reaches the server."""
    local = not admin.host or admin.host.startswith("/")
    # libpq looks a default socket up as localhost, and another one under its folder.
    hosts = ("localhost", "127.0.0.1", *found.server.sockets[:1]) if local else (admin.host,)
    return [
        PassfileEntry(host=host, port=str(found.server.port), database=desired.database,
              user=desired.owner, password=secret)
        for host in hosts
    ]  # fmt: skip
