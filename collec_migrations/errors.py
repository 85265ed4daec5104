"""The errors of this package: one root, one class for each thing a user can act on.

MigrationError
  UsageError              what was typed or set: InvalidNames, UnknownVersion, ChainBroken,
                          UntrustedFolder
  ConnectionFailed        ConnectionLost, CommitUnknown
  ServerFailed, ServerTooOld, ConfigurationDenied, ConfigurationElsewhere,
  ConfigurationNotRestored, SettingsRefused, HbaRefused, PassfileError
  StatementFailed         LockNotObtained
  ScriptUnreadable (ScriptRefused), ScriptChanged, BackupMissing
  NotAdopted, AdoptionRefused, RepairRefused, UntrustedTable, DowngradeRefused
  NotPossible             ExtensionMissing
  RunInProgress, Interrupted, RowsRefused
  ArchiveNotDropped, NoSuchArchive
  InstallRefused, InstallFailed, AccessNotProved, SettingsNotWritten
  BackupFailed, BackupInProgress, NotABackup, BackupDamaged, RestoreRefused
  ReplicationFailed       PromotionUncertain
  ReplicationRefused      ManagedElsewhere, CloneInProgress
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Level(StrEnum):
    """How bad a problem is; a forecast is never more than a warning."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something is wrong, and what to do: the one type for it, in every room."""

    message: str
    """One lowercase line that states one fact and names the object."""
    hint: str = ""
    """A full sentence, what to type or do next."""
    code: str = ""
    """Stable, for programs, as `diverged`; empty where no program tells problems apart."""
    level: Level = Level.ERROR
    certain: bool = True
    """False: only the server, or a condition that it decides, can say."""


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


class UntrustedFolder(UsageError):
    """A file or folder that somebody else may write says what root is to do."""


class InvalidNames(UsageError):
    """The schema names that were given cannot be used."""


class UnknownVersion(UsageError):
    """A version was named that is not a version of the chain."""


class ChainBroken(UsageError):
    """Scripts that do not continue the chain of versions one after the other."""


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


class RowsRefused(MigrationError):
    """Rows that a step would fail at; nothing was applied."""


class NotAdopted(MigrationError):
    """The database holds the application's tables, but no version that Alembic knows."""


class RepairRefused(MigrationError):
    """Rows stand against what a version requires; nothing was changed."""

    exit_status = 1


class AdoptionRefused(MigrationError):
    """The database is no version that it could be adopted as."""

    exit_status = 1


class UntrustedTable(MigrationError):
    """A table of ours, or Alembic's, is no plain table: reading it would run somebody's code."""


class ScriptRefused(ScriptUnreadable):
    """A script of the application holds what cannot run inside a run of this tool."""


class ScriptChanged(MigrationError):
    """A wrapped script is another than the one that was wrapped."""


class BackupMissing(MigrationError):
    """A step that has no way back is to run, and no backup was taken before it."""


class DowngradeRefused(MigrationError):
    """A step down would lose rows, or is not possible."""


class ConfigurationNotRestored(MigrationError):
    """The old file could not be put back: its copy lies beside it."""


class PassfileError(MigrationError):
    """A password file cannot be read or written."""


class ServerTooOld(MigrationError):
    """A server older than the data: nothing can be said about its settings."""

    exit_status = 3


class ConfigurationDenied(MigrationError):
    """The role that is connected may not see or reload the server's configuration."""


class ConfigurationElsewhere(MigrationError):
    """The server's file is not on this machine, or this account cannot write it."""


class Interrupted(MigrationError):
    """A signal ended the work; what was begun is taken back."""


class SettingsRefused(MigrationError):
    """The server would not take the settings; its files are as they were."""


class HbaRefused(MigrationError):
    """The new rules were not accepted, or did not do what they should; the old ones are back."""


class RunInProgress(MigrationError):
    """Another run holds the database, longer than we were told to wait."""


class InstallRefused(MigrationError):
    """The server, the role or the database does not allow the installation; nothing was made."""


class InstallFailed(MigrationError):
    """A piece could not be made; those before it are there."""


class AccessNotProved(MigrationError):
    """The account is let in or refused otherwise than the rules say."""


class SettingsNotWritten(MigrationError):
    """The application's files could not be changed; they are as they were."""


class ArchiveNotDropped(MigrationError):
    """An archive cannot be dropped; none was."""


class NoSuchArchive(MigrationError):
    """A name was given that no archive table of these schemas has."""


class BackupFailed(MigrationError):
    """No backup was made of a database; older ones are as they were."""


class BackupInProgress(MigrationError):
    """Another backup into the same folder is at work."""

    exit_status = 75


class NotABackup(MigrationError):
    """A folder does not hold what a complete backup holds."""


class BackupDamaged(MigrationError):
    """A backup is not what it was when it was made."""

    exit_status = 1


class RestoreRefused(MigrationError):
    """Restoring would overwrite something, or cannot succeed."""


class ReplicationFailed(MigrationError):
    """A step on the way to a standby did not succeed; what was begun is taken back."""


class PromotionUncertain(ReplicationFailed):
    """A standby was told to become a primary, and it is not known whether it does."""


class ReplicationRefused(MigrationError):
    """Going on would lose something, or cannot succeed; nothing was touched."""


class ManagedElsewhere(ReplicationRefused):
    """Patroni, repmgr or pg_auto_failover is in charge here: we only read."""


class CloneInProgress(ReplicationRefused):
    """Another clone into the same folder is at work."""

    exit_status = 75


class NotPossible(MigrationError):
    """The role or the server does not allow what the run needs; nothing was touched."""


class ExtensionMissing(NotPossible):
    """An extension that a step needs is not in the database and cannot be made."""


class LockNotObtained(StatementFailed):
    """Another session held a lock through all attempts; nothing was applied."""
