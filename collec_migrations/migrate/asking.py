"""Questions asked before a wrapped step: duplicates, twins, taken ids, told before it begins."""

from collections.abc import Sequence

import psycopg2
from psycopg2 import errorcodes
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.errors import MigrationError
from collec_migrations.postgres import quoting
from collec_migrations.wrapping import keeping
from collec_migrations.wrapping.duplicates import Question
from collec_migrations.wrapping.keeping import Loss
from collec_migrations.wrapping.prepared import Prepared
from collec_migrations.wrapping.script import Item

HINT = "Put these rows right, then run it again."
_NOT_YET = (
    errorcodes.UNDEFINED_TABLE,
    errorcodes.UNDEFINED_COLUMN,
    errorcodes.INVALID_SCHEMA_NAME,
    errorcodes.UNDEFINED_FUNCTION,
    errorcodes.INSUFFICIENT_PRIVILEGE,
)
"""The question is about something that an earlier step is still to make."""


class RowsInTheWay(MigrationError):
    """Rows that a step would refuse or spoil; nothing was applied."""


def ask(cursor: Cursor, question: Question, *, path: str = "") -> tuple[str, ...]:
    """Return the findings of a question; none when it cannot be asked yet."""
    cursor.execute("savepoint collec_question")
    try:
        if path:
            cursor.execute(f"set local search_path = {path}")
        cursor.execute(question.query)
        found = tuple(str(row[0]) for row in cursor.fetchall())
    except psycopg2.Error as error:
        if error.pgcode not in _NOT_YET:
            raise
        found = ()
    cursor.execute("rollback to savepoint collec_question; release savepoint collec_question")
    return found


def count(cursor: Cursor, step: Prepared, item: Item, loss: Loss) -> tuple[str, int]:
    """Return which table a loss is about, with its schema, and how many rows it has of them now.

    Without schema, and 0, when it cannot be asked yet.
    """
    bound = step.names.by_default_name
    path = ", ".join(quoting.identifier(bound.get(name, name)) for name in item.search_path)

    def asked(query: str) -> str:
        question = Question(id="", message="", query=step.bind(query), certain=False)
        return next(iter(ask(cursor, question, path=path)), "")

    rows = int(asked(keeping.query(loss, "count(*)::text")) or "0")
    return asked(keeping.where(loss)) or loss.table, rows


def refuse(cursor: Cursor, question: Question) -> None:
    """Raise `RowsInTheWay` when a question has findings."""
    found = ask(cursor, question)
    if found:
        raise RowsInTheWay(f"{described(question, found)}; nothing was applied", hint=HINT)


def described(question: Question, found: Sequence[str]) -> str:
    """Return what a question found."""
    return f"{question.id}: {question.message}: {'; '.join(found)}"


def block(question: Question) -> str:
    """Return a statement that asks the question where the script runs, and stops or warns."""
    level = "exception" if question.certain else "warning"
    return f"""do $collec_question$
declare
    found text;
begin
    select string_agg(asked.answer, '; ') into found
    from ({question.query}) as asked (answer);
    if found is not null then
        raise {level} using
            message = {quoting.literal(f"{question.id}: {question.message}: ")} || found;
    end if;
exception when undefined_table or undefined_column or undefined_function then
    null;
end
$collec_question$;"""
