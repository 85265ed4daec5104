"""The errors of this package: one root, one class for each thing a user can act on."""

from typing import Self


class MigrationError(Exception):
    """Something that a user can do something about.

    `str(error)` is one lowercase line that states the fact and names the object; `hint` is a
    sentence that says what to do. Neither ever holds a password.
    """

    exit_status = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def ended(self, outcome: str) -> Self:
        """Return the error with a last line on what the run left behind."""
        separator = "\n" if "\n" in str(self) else "; "
        return type(self)(f"{self}{separator}{outcome}", hint=self.hint)


class UsageError(MigrationError):
    """The command or a setting is not what it must be; nothing was touched."""

    exit_status = 2


class InvalidNames(UsageError):
    """The schema names that were given cannot be used."""


class UnknownVersion(UsageError):
    """A version was named that is not a version of the chain."""


class ConnectionFailed(MigrationError):
    """The database server cannot be reached, or does not let us in."""


class ConnectionLost(ConnectionFailed):
    """The connection broke in the middle of a run."""


class CommitUnknown(ConnectionFailed):
    """The connection broke while the server was told to commit: it may have done so, or not."""


class ServerFailed(MigrationError):
    """The embedded or throwaway server could not be started or stopped."""


class StatementFailed(MigrationError):
    """A statement of a script was refused by the server."""


class ScriptUnreadable(MigrationError):
    """A script cannot be read, parsed or bound to schema names."""


class NotAdopted(MigrationError):
    """The database holds the application's tables, but no version that Alembic knows."""


class DowngradeRefused(MigrationError):
    """A step down would lose rows, or is not possible."""
