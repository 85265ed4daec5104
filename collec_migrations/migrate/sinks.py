"""Where the statements of a run go: to a server, statement by statement, or into a script."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import history, ownership
from collec_migrations.migrate import archive, checks, required_extensions, sending
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.postgres import as_owner, privileges, prologue, quoting
from collec_migrations.postgres.as_owner import Owners
from collec_migrations.sql import Statement, split

_EMPTY = """
    not exists (select 1 from pg_catalog.pg_depend d
                where d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_namespace'::regclass
                  and d.refobjid operator(pg_catalog.=) n.oid
                  and d.deptype operator(pg_catalog.=) 'n')
"""


class Sink:
    """Takes statements in the order in which they are to run; this one does nothing with them."""

    __slots__ = ()

    def send(
        self, sql: str, *, shown: str, steps: Sequence[archive.Step] = (), extensions: bool = False
    ) -> None:
        """Take all statements of a script, named `shown` in messages, with extensions in reach.

        What it drops of what the steps remove goes to the archive.
        """

    def execute(self, sql: str) -> None:
        """Take one statement of the tool's own."""

    def execute_as_owner(self, sql: str) -> None:
        """Take one that reads or writes the schemas' tables."""
        self.execute(sql)

    def keeping(self, archives: Sequence[str]) -> AbstractContextManager[None]:
        """Have archive schemas in a block, in which the owner can put what is removed."""
        del archives
        return nullcontext()

    def inspect(self, check: Callable[[Cursor], None]) -> None:
        """Let a check read the database, where there is one, and raise what it finds."""

    def ask(self, question: checks.Question) -> None:
        """Take a question whose rows stop the step, or are told."""

    def ask_ahead(self, questions: Sequence[checks.Question]) -> None:
        """Refuse the run for what can be found before its first step."""

    def make_extensions(self, needed: Sequence[Use]) -> None:
        """Make the extensions that are not there; raise `ExtensionMissing` where that is not so."""

    def has_extension(self, name: str) -> bool:
        """Say whether the database has an extension; a script is written for one that has."""
        del name
        return True

    def record(self, entries: Mapping[str, history.Entry]) -> None:
        """Take a row for the history of each schema."""

    def searching(self, path: str) -> AbstractContextManager[None]:
        """Search a path in a block."""
        del path
        return nullcontext()

    def settle(self) -> None:
        """Give what the statements so far have made its rightful owner and rights."""


class Progress(Protocol):
    """Whoever wants to see statements come and go."""

    def restart(self) -> None:
        """Learn that the run begins, or begins again."""

    def begin(self, shown: str, statement: Statement) -> None:
        """Learn that a statement of a script is about to run."""

    def end(self, shown: str, statement: Statement, seconds: float) -> None:
        """Learn that a statement has ended, and how long it took."""


@dataclass(frozen=True, slots=True)
class Server(Sink):
    """Runs everything at once, within the transaction that is open."""

    cursor: Cursor
    watch: ownership.Watch
    owners: Owners = as_owner.NOBODY
    """With whose rights everything runs that could set off code of theirs."""
    progress: Progress | None = None
    """Watches statements sent one by one; None: scripts are sent whole."""
    warnings: list[str] = field(default_factory=list)
    """What the scripts warned of."""

    def send(
        self, sql: str, *, shown: str, steps: Sequence[archive.Step] = (), extensions: bool = False
    ) -> None:
        """Run a script; SQLAlchemy drops the server's notices, so they are taken at once."""
        sql = archive.moving(sql, steps) if steps else sql
        self._noticed(lambda: self._run(sql, shown=shown, extensions=extensions))
        if steps:
            self._forget_path()

    def _noticed(self, act: Callable[[], None]) -> None:
        notices = self.cursor.connection.notices
        notices.clear()
        act()
        self.warnings.extend(text.strip() for text in notices if text.startswith("WARNING"))

    def _run(self, sql: str, *, shown: str, extensions: bool) -> None:
        reach, leave = required_extensions.reach_extensions(), prologue.OWN_PATH
        if self.progress is None:
            # On its first and its last line: the others keep their numbers.
            text = f"{reach} {sql}\n;{leave}" if extensions else sql
            with as_owner.acting(self.cursor, self.owners) as role:
                sending.send(self.cursor, text, shown=shown, owner=role)
            return
        if extensions:
            self.cursor.execute(reach)
        with as_owner.acting(self.cursor, self.owners) as role:
            for statement in split(sql):
                self.progress.begin(shown, statement)
                started = time.monotonic()
                sending.send_one(self.cursor, sql, statement, shown=shown, owner=role)
                self.progress.end(shown, statement, time.monotonic() - started)
        if extensions:
            self.cursor.execute(leave)

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self._noticed(lambda: self.cursor.execute(sql))

    def execute_as_owner(self, sql: str) -> None:
        """Run a statement as the owner, where that is not who is connected."""
        with as_owner.acting(self.cursor, self.owners) as role:
            self._noticed(lambda: as_owner.execute(self.cursor, sql, role=role))
        self._forget_path()

    def _forget_path(self) -> None:
        """Search nothing of the owner's next: a trigger may have set another path."""
        if self.owners.first:
            self.cursor.execute(prologue.OWN_PATH)

    @contextmanager
    def keeping(self, archives: Sequence[str]) -> Iterator[None]:
        """Make the schemas that the owner may have no right to make; drop what stays empty."""
        if not self.owners.first:
            yield
            return
        for schema in archives:
            if not self._is_there(schema):
                self.cursor.execute(
                    f"create schema {quoting.identifier(schema)}"
                    f" authorization {quoting.identifier(self.owners.first)}"
                )
        yield
        for schema in archives:
            if self._is_there(schema, empty=_EMPTY):
                self.cursor.execute(f"drop schema {quoting.identifier(schema)}")

    def _is_there(self, schema: str, empty: str = "true") -> bool:
        self.cursor.execute(
            "select 1 from pg_catalog.pg_namespace n"
            f" where n.nspname operator(pg_catalog.=) %s and {empty}",
            (schema,),
        )
        return self.cursor.fetchone() is not None

    def inspect(self, check: Callable[[Cursor], None]) -> None:
        """Run a check, which calls nothing of the schemas' owner whatever a script's path is."""
        with prologue.searching(self.cursor):
            check(self.cursor)

    def ask(self, question: checks.Question) -> None:
        """Refuse the step for what is found, or tell it at the end."""
        found = checks.ask(self.cursor, question, self.owners)
        self._forget_path()
        if found and question.stops:
            raise checks.refusal(question, found)
        if found:
            self.warnings.append(f"WARNING:  {found}. {question.hint}")

    def ask_ahead(self, questions: Sequence[checks.Question]) -> None:
        """Ask what can be asked already."""
        with prologue.searching(self.cursor):
            for question in questions:
                found = checks.ask(self.cursor, question, self.owners, now=True)
                if found:
                    raise checks.refusal(question, found)

    def make_extensions(self, needed: Sequence[Use]) -> None:
        """Look for the extensions, and make those that this role may make."""
        found = privileges.read_extensions(self.cursor)
        required_extensions.refuse(needed, found)
        made = [use.name for use in needed if not use.is_met(found)]
        if made:
            self.cursor.execute("".join(map(required_extensions.creation, made)))
        if "postgis" in made:
            self.warnings.append("the extension postgis was created in the schema public")

    def has_extension(self, name: str) -> bool:
        """Look for an extension."""
        self.cursor.execute(
            "select exists (select 1 from pg_catalog.pg_extension where extname = %s)", (name,)
        )
        row = self.cursor.fetchone()
        return bool(row and row[0])

    def record(self, entries: Mapping[str, history.Entry]) -> None:
        """Store history rows."""
        history.record(self.cursor, entries, new=set(filter(self.watch.is_new, entries)))

    def searching(self, path: str) -> AbstractContextManager[None]:
        """Set the path, and put back the one before."""
        return prologue.searching(self.cursor, path)

    def settle(self) -> None:
        """Set owners and rights."""
        self.watch.settle()


@dataclass(frozen=True, slots=True)
class Text(Sink):
    """Writes everything, to be run by psql later."""

    write: Callable[[str], object]

    def send(
        self, sql: str, *, shown: str, steps: Sequence[archive.Step] = (), extensions: bool = False
    ) -> None:
        """Write a script, its literals untouched."""
        sql = archive.moving(sql, steps) if steps else sql
        if extensions:
            self.execute(required_extensions.reach_extensions())
        self.write(f"-- {shown}\n{sql.strip()}\n\n")
        if extensions:
            self.execute(prologue.OWN_PATH)

    def execute(self, sql: str) -> None:
        """Write a statement."""
        self.write(f"{sql}\n\n")

    def ask(self, question: checks.Question) -> None:
        """Write the question, asked where the script runs."""
        self.execute(checks.block(question))

    def make_extensions(self, needed: Sequence[Use]) -> None:
        """Write their creation; one that is there needs no right."""
        for use in needed:
            if use.name != "pgcrypto":  # what it is needed for may be PostgreSQL's own
                self.execute(required_extensions.creation(use.name))

    def record(self, entries: Mapping[str, history.Entry]) -> None:
        """Write history rows, timed by the server that will run them."""
        for schema, entry in entries.items():
            timed = replace(entry, started=None)
            self.write(f"{history.creation(schema)}\n{history.insertion(schema, timed)}\n\n")
