"""A password, and where it comes from: the environment, a terminal, or chance."""

import getpass
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collec_migrations.errors import UsageError

VARIABLE = "COLLEC_DB_PASSWORD"
RANDOM_BYTES = 24
"""192 bits: 32 characters that need no quoting anywhere."""

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Password:
    """A password; no text made of it shows it but `clear`."""

    clear: str = field(repr=False)

    def __str__(self) -> str:
        """Show nothing, so that no message and no log can."""
        return "***"

    @classmethod
    def parse(cls, text: str, *, source: str) -> "Password":
        """Return a password that PostgreSQL and a password file can hold; raise `UsageError`."""
        if not text:
            raise UsageError(f"{source} is empty", hint="PostgreSQL refuses empty passwords.")
        if any(character in text for character in "\0\n\r"):
            raise UsageError(
                f"{source} holds a line break or a null character",
                hint="No password file can hold one: choose another password.",
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{source} is not valid UTF-8") from None
        return cls(text)


def from_environment(
    variable: str = VARIABLE, environment: Mapping[str, str] = os.environ
) -> Password | None:
    """Return the password in an environment variable; None when it is not set."""
    text = environment.get(variable)
    return None if text is None else Password.parse(text, source=variable)


def from_terminal(question: str, *, ask: Ask = getpass.getpass) -> Password | None:
    """Ask twice on the terminal, without showing it; None when the answer is empty."""
    first = ask(f"{question}: ")
    if not first:
        return None
    if ask("The same again: ") != first:
        raise UsageError("the two passwords are not the same")
    return Password.parse(first, source="the password")


def generated() -> Password:
    """Return a new password made by chance."""
    return Password(secrets.token_urlsafe(RANDOM_BYTES))
