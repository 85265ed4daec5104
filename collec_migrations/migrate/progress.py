"""Send a script statement by statement, telling a listener how far it is."""

import time
from dataclasses import dataclass, field
from typing import Protocol

import psycopg2

from collec_migrations.migrate import sending
from collec_migrations.migrate.sinks import Server
from collec_migrations.postgres import as_owner
from collec_migrations.sql import Statement, split


class Progress(Protocol):
    """Whoever wants to see statements come and go."""

    def restart(self) -> None:
        """Learn that the run begins, or begins again."""

    def begin(self, shown: str, statement: Statement) -> None:
        """Learn that a statement of a script is about to run."""

    def end(self, shown: str, statement: Statement, seconds: float) -> None:
        """Learn that a statement has ended, and how long it took."""


@dataclass(frozen=True, slots=True)
class Watched(Server):
    """Runs one statement for each round trip, so that somebody can watch."""

    progress: Progress = field(kw_only=True)

    def _run(self, sql: str, *, shown: str) -> None:
        with as_owner.acting(self.cursor, self.owners) as role:
            for statement in split(sql):
                self.progress.begin(shown, statement)
                started = time.monotonic()
                try:
                    sending.run(self.cursor, statement.text, owner=role)
                except psycopg2.Error as error:
                    if sending.is_lost(self.cursor):
                        raise
                    if error.pgcode in sending.TRY_AGAIN:
                        error.add_note(f"{shown}:{statement.line}")
                        raise
                    raise sending.failure(sql, statement, error, shown=shown) from error
                self.progress.end(shown, statement, time.monotonic() - started)
