"""Send a script in one round trip; when it fails, find the statement that failed."""

import re

import psycopg2
from pglast.parser import scan
from psycopg2 import errorcodes
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.errors import ConnectionLost, StatementFailed
from collec_migrations.postgres import as_owner, signals
from collec_migrations.sql import Statement, line_at, split

SHOWN_LINES = 3

TRY_AGAIN = (errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED)
"""Errors that another attempt at the whole run may not meet."""

_BLOCK_LINE = re.compile(r"inline_code_block\D+(\d+)")
"""Where a `do` block failed; PL/pgSQL counts from the line of its opening quotes."""

HINTS = {
    errorcodes.INSUFFICIENT_PRIVILEGE: "Run as the owner of the schemas, or as a superuser.",
    errorcodes.DUPLICATE_TABLE: "The database is not what its recorded version says; "
    "run `collec-migrations detect`.",
    errorcodes.UNDEFINED_TABLE: "The database is not what its recorded version says; "
    "run `collec-migrations detect`.",
    errorcodes.UNDEFINED_COLUMN: "The database is not what its recorded version says; "
    "run `collec-migrations detect`.",
    errorcodes.DISK_FULL: "Free some space on the server and run it again.",
    errorcodes.READ_ONLY_SQL_TRANSACTION: "Is this a standby? Connect to the primary.",
}


def send(cursor: Cursor, sql: str, *, shown: str, owner: str = "") -> None:
    """Run all statements of a script within the transaction that is open, as `owner` if given.

    `shown` names the script in messages. Raises `StatementFailed` with file, line, message and
    the beginning of the statement; the transaction is then to be rolled back. Errors of
    `TRY_AGAIN` and a lost connection pass as they are, for the caller to decide.
    """
    if not sql.strip():
        return
    try:
        if owner:
            cursor.execute("savepoint collec_script")
            as_owner.execute(cursor, sql, role=owner)
            cursor.execute("release savepoint collec_script")
        else:
            cursor.execute(f"savepoint collec_script;\n{sql}\n;release savepoint collec_script")
    except psycopg2.Error as error:
        if error.pgcode in TRY_AGAIN:
            error.add_note(shown)
        if is_lost(cursor) or error.pgcode in TRY_AGAIN:
            raise
        if signals.came():  # the statement would only run, and be cancelled, once more
            raise StatementFailed(f"{shown}: {error.diag.message_primary}") from error
        cursor.execute("rollback to savepoint collec_script")
        for statement in split(sql):
            send_one(cursor, sql, statement, shown=shown, owner=owner)


def send_one(cursor: Cursor, sql: str, statement: Statement, *, shown: str, owner: str) -> None:
    """Run a statement of a script; raises as `send` does."""
    try:
        as_owner.execute(cursor, statement.text, role=owner)
    except psycopg2.Error as error:
        if error.pgcode in TRY_AGAIN:
            error.add_note(f"{shown}:{statement.line}")
        if is_lost(cursor) or error.pgcode in TRY_AGAIN:
            raise
        raise failure(sql, statement, error, shown=shown) from error


def failure(
    sql: str, statement: Statement, error: psycopg2.Error, *, shown: str
) -> StatementFailed:
    """Return what to tell about a statement that the server refused."""
    diagnostics = error.diag
    line = _line(sql, statement, error)
    message = diagnostics.message_primary or str(error).strip()
    shown_from = max(line, statement.line) if _in_block(error) else statement.line
    excerpt = sql.splitlines()[shown_from - 1 :][:SHOWN_LINES]
    beginning = "\n".join(f"    {text}" for text in excerpt)
    details = [f"detail: {diagnostics.message_detail}"] if diagnostics.message_detail else []
    hint = diagnostics.message_hint or HINTS.get(error.pgcode or "", "")
    return StatementFailed(
        "\n".join([f"{shown}:{line}: {message}", beginning, *details]),
        hint=hint,
    )


def _line(sql: str, statement: Statement, error: psycopg2.Error) -> int:
    """Return the line where a statement failed, as exactly as the server tells it."""
    position = error.diag.statement_position
    if error.diag.internal_query == statement.text:  # run as the schemas' owner, in a function
        position = error.diag.internal_position
    if position:
        return line_at(sql, statement.offset + int(position) - 1)
    inside = _in_block(error)
    if inside:
        body = next((t for t in scan(statement.text) if t.name == "SCONST"), None)
        start = statement.offset + (body.start if body else 0)
        return int(line_at(sql, start)) + int(inside[1]) - 1
    return statement.line


def _in_block(error: psycopg2.Error) -> re.Match[str] | None:
    return _BLOCK_LINE.search(error.diag.context or "")


def is_lost(cursor: Cursor) -> bool:
    """Return whether the connection is gone, so that the server has rolled everything back."""
    return bool(cursor.connection.closed)


def translate(error: psycopg2.Error, *, lost: bool) -> ConnectionLost | StatementFailed:
    """Return the error to tell for one that came from no script."""
    message = error.diag.message_primary or str(error).strip().partition("\n")[0]
    if lost:
        return ConnectionLost(
            f"the connection was lost: {message}",
            hint="Find the reason in the server's log, then run it again.",
        )
    hint = error.diag.message_hint or HINTS.get(error.pgcode or "", "")
    return StatementFailed(message, hint=hint)
