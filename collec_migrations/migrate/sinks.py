"""Where statements go: to a server at once, or into a script for psql."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import history, holdings
from collec_migrations.migrate import sending
from collec_migrations.postgres import prologue


class Sink(Protocol):
    """Takes statements in the order in which they are to run."""

    def send(self, sql: str, *, shown: str) -> None:
        """Take all statements of a script, named `shown` in messages."""

    def execute(self, sql: str) -> None:
        """Take one statement of the tool's own."""

    def inspect(self, check: Callable[[Cursor], None]) -> None:
        """Let a check read the database, where there is one, and raise what it finds."""

    def record(self, schema: str, entry: history.Entry) -> None:
        """Take a row for the history of a schema."""

    def searching(self, path: str) -> AbstractContextManager[None]:
        """Search a path in a block."""

    def settle(self) -> None:
        """Give what the statements so far have made its rightful owner and rights."""


@dataclass(frozen=True, slots=True)
class Server:
    """Runs everything at once, within the transaction that is open."""

    cursor: Cursor
    watch: holdings.Watch
    warnings: list[str] = field(default_factory=list)
    """What the scripts warned of."""

    def send(self, sql: str, *, shown: str) -> None:
        """Run a script; SQLAlchemy drops the server's notices, so they are taken at once."""
        notices = self.cursor.connection.notices
        notices.clear()
        self._run(sql, shown=shown)
        self.warnings.extend(text.strip() for text in notices if text.startswith("WARNING"))

    def _run(self, sql: str, *, shown: str) -> None:
        sending.send(self.cursor, sql, shown=shown)

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self.cursor.execute(sql)

    def inspect(self, check: Callable[[Cursor], None]) -> None:
        """Run a check, which calls nothing of the schemas' owner whatever a script's path is."""
        with prologue.searching(self.cursor):
            check(self.cursor)

    def record(self, schema: str, entry: history.Entry) -> None:
        """Store a history row."""
        with prologue.searching(self.cursor):
            history.record(self.cursor, schema, entry)

    def searching(self, path: str) -> AbstractContextManager[None]:
        """Set the path, and put back the one before."""
        return prologue.searching(self.cursor, path)

    def settle(self) -> None:
        """Set owners and rights."""
        with prologue.searching(self.cursor):
            self.watch.settle()


@dataclass(frozen=True, slots=True)
class Text:
    """Writes everything, to be run by psql later."""

    write: Callable[[str], object]

    def send(self, sql: str, *, shown: str) -> None:
        """Write a script, its literals untouched."""
        self.write(f"-- {shown}\n{sql.strip()}\n\n")

    def execute(self, sql: str) -> None:
        """Write a statement."""
        self.write(f"{sql}\n\n")

    def inspect(self, check: Callable[[Cursor], None]) -> None:
        """Do nothing: there is no database yet."""

    def record(self, schema: str, entry: history.Entry) -> None:
        """Write a history row, timed by the server that will run it."""
        timed = replace(entry, started=None)
        self.write(f"{history.creation(schema)}\n{history.insertion(schema, timed)}\n\n")

    def searching(
        self,
        path: str,  # noqa: ARG002  (it is the protocol's)
    ) -> AbstractContextManager[None]:
        """Leave the path to whoever runs the script: wrapped ones set it, ours need none."""
        return nullcontext()

    def settle(self) -> None:
        """Write nothing: whoever runs the script owns what it makes."""
