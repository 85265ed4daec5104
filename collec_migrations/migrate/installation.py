"""What a new installation gets beyond its scripts: the admin's password, the application's code."""

import secrets
from hashlib import sha256

from collec_migrations.migrate.sinks import Sink
from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.settings import Settings

LOGIN = "admin"
DEFAULT_CODE = "col"
RANDOM_BYTES = 12


def complete(sink: Sink, names: Names, settings: Settings) -> list[str]:
    """Set the admin's password and the application's code; return what to tell the user."""
    password = settings.admin_password or secrets.token_urlsafe(RANDOM_BYTES)
    gacl = quoting.identifier(names.gacl)
    sink.execute_as_owner(
        f"update {gacl}.logingestion set password = {quoting.literal(stored(password))}"
        f" where login = {quoting.literal(LOGIN)} and password is null;"
    )
    if settings.application_code != DEFAULT_CODE:
        sink.execute_as_owner(
            f"update {gacl}.aclappli set appli = {quoting.literal(settings.application_code)}"
            f" where appli = {quoting.literal(DEFAULT_CODE)};"
        )
    if settings.admin_password:
        return []
    return [
        f"The application's account {LOGIN!r} was created with the password {password}",
        "It is shown only this once: change it after the first login.",
    ]


def stored(password: str, login: str = LOGIN) -> str:
    """Return a password as `logingestion.password` holds it: SHA-256 of password and login.

    The application's own rule for local accounts (measured on its releases up to 1.1).
    """
    return sha256((password + login).encode()).hexdigest()
