"""What cannot run inside the tool: dropped where that is harmless, else refused. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from collec_migrations.wrapping.psql import Command

INCLUDES = frozenset({"i", "include", "ir", "include_relative"})
CONNECTS = frozenset({"c", "connect"})
_HARMLESS = frozenset(
    {"echo", "qecho", "warn", "timing", "pset", "t", "a", "x", "conninfo", "encoding",
     "errverbose", "unset", "H", "html", "f", "p", "C", "T", "l", "z", "sf", "sv"}
)  # fmt: skip
"""Meta-commands that show something or change how something is shown."""
_VARIABLES = frozenset(
    {"ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "VERBOSITY", "QUIET", "ECHO", "ECHO_HIDDEN",
     "SHOW_CONTEXT", "HIDE_TABLEAM", "AUTOCOMMIT", "SINGLELINE", "ENCODING", "FETCH_COUNT"}
)  # fmt: skip
"""Variables that psql itself reads; any other is meant for the script's own text."""

_DROPPED_TRANSACTION = frozenset({"BEGIN", "START", "COMMIT"})
_ROLES = {
    "CreateRoleStmt": "create role or user",
    "AlterRoleStmt": "alter role or user",
    "DropRoleStmt": "drop role or user",
    "CreatedbStmt": "create database",
    "DropdbStmt": "drop database",
    "AlterDatabaseStmt": "alter database",
    "AlterDatabaseSetStmt": "alter database",
    "AlterRoleSetStmt": "alter role",
    "CreateTableSpaceStmt": "create tablespace",
    "DropTableSpaceStmt": "drop tablespace",
    "AlterSystemStmt": "alter system",
    "CreateSubscriptionStmt": "create subscription",
    "DropSubscriptionStmt": "drop subscription",
    "DiscardStmt": "discard",
    "VacuumStmt": "vacuum",
}
_REINDEX_ALONE = ("SCHEMA", "SYSTEM", "DATABASE")


class Verdict(Enum):
    """What becomes of something that is not plain SQL for this run."""

    DROPPED = "dropped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a script that does not run as it is."""

    shown: str
    """Folder and file."""
    line: int
    what: str
    reason: str
    verdict: Verdict

    def __str__(self) -> str:
        return f"{self.shown}:{self.line}: {self.what}: {self.verdict.value}, {self.reason}"


Judgement = tuple[Verdict, str]


def of_command(command: Command) -> Judgement:
    """Return what becomes of a meta-command that includes no file."""
    name = command.name
    if name in CONNECTS:
        return Verdict.DROPPED, "the run is connected to the database already"
    if name == "set" and (not command.arguments or command.arguments[0] in _VARIABLES):
        return Verdict.DROPPED, "it concerns psql alone"
    if name in _HARMLESS or name.startswith("d"):
        return Verdict.DROPPED, "it shows something, or how"
    if name == "set":
        return Verdict.REFUSED, "the tool has no variables of psql"
    return Verdict.REFUSED, "only psql can do it"


def of_statement(statement: Any) -> tuple[str, Verdict, str] | None:
    """Return what, what becomes of it and why for a statement that cannot run as it is."""
    kind = type(statement).__name__
    if kind == "TransactionStmt":
        return _transaction(statement)
    if kind in _ROLES:
        outside = kind in ("VacuumStmt", "DiscardStmt")
        if kind == "VacuumStmt" and not statement.is_vacuumcmd:
            return None
        reason = "it cannot run inside a transaction" if outside else "it is no part of a schema"
        return _ROLES[kind], Verdict.REFUSED, reason
    if kind == "VariableSetStmt":
        return _setting(statement)
    return _alone(kind, statement)


def _transaction(statement: Any) -> tuple[str, Verdict, str]:
    kind = statement.kind.name.removeprefix("TRANS_STMT_")
    if kind in _DROPPED_TRANSACTION:
        return kind.lower(), Verdict.DROPPED, "the run is one transaction"
    return kind.lower().replace("_", " "), Verdict.REFUSED, "the run is one transaction"


def _setting(statement: Any) -> tuple[str, Verdict, str] | None:
    name = statement.name or ""
    if name in ("client_encoding", "names"):
        return f"set {name}", Verdict.DROPPED, "the script is sent in UTF-8"
    if name.startswith(("TRANSACTION", "SESSION CHARACTERISTICS")):
        return "set transaction", Verdict.REFUSED, "the run is one transaction"
    if name == "standard_conforming_strings" and _off(statement):
        return f"set {name}", Verdict.REFUSED, "the parser takes backslashes as they are"
    return None


def _off(statement: Any) -> bool:
    values = statement.args or ()
    return any(str(getattr(v.val, "sval", v.val)).lower() in ("off", "false", "0") for v in values)


def _alone(kind: str, statement: Any) -> tuple[str, Verdict, str] | None:
    """Return the refusal of what cannot run inside a transaction."""
    why = "it cannot run inside a transaction"
    if kind in ("IndexStmt", "DropStmt") and statement.concurrent:
        return f"{kind.removesuffix('Stmt').lower()} concurrently", Verdict.REFUSED, why
    if kind == "ReindexStmt":
        whole = statement.kind.name.endswith(_REINDEX_ALONE)
        concurrent = any(p.defname == "concurrently" for p in statement.params or ())
        if whole or concurrent:
            return "reindex", Verdict.REFUSED, why
    if kind == "ClusterStmt" and statement.relation is None:
        return "cluster", Verdict.REFUSED, why
    if kind == "CopyStmt" and statement.is_from and statement.filename is None:
        return "copy from stdin", Verdict.REFUSED, "its data are no statements"
    return None
