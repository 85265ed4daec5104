"""Carry out errata: skip a statement, replace it, do something before or after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.migrate import conditional
from collec_migrations.migrate.sinks import Sink
from collec_migrations.wrapping import errata
from collec_migrations.wrapping.errata import Erratum
from collec_migrations.wrapping.script import Item


@dataclass(kw_only=True)
class Corrector:
    """Sends what errata say, with the site's names, for one step."""

    sink: Sink
    bind: Callable[[str], str]
    """Puts the site's names into SQL of the tool's own."""
    wanted: Callable[[str], bool]
    """Says whether a correction is about a schema that this step changes."""
    run: Callable[[Item], None]
    """Sends a statement as it is."""
    present: Callable[[Item], str]
    """Returns the query for whether what a statement makes is there; empty: it is sent always."""
    bound: Callable[[Item], str]
    """Returns a statement with the site's names."""
    notes: list[str] = field(default_factory=list)
    """What was done, for history."""

    def send(self, item: Item, actions: Sequence[Erratum]) -> None:
        """Send a statement with what its errata say."""
        for erratum in (one for one in actions if one.action == "before"):
            self._do(erratum)
        instead = [one for one in actions if one.action in errata.INSTEAD]
        if not instead:
            self._run(item)
        for erratum in instead:
            if erratum.action == "skip_if":
                skipped = self.unless(erratum.condition, item)
                self.notes.append(f"{erratum.id} {_outcome(skipped, 'skipped')}")
            else:
                self._do(erratum)
        for erratum in (one for one in actions if one.action == "after"):
            self._do(erratum)

    def _run(self, item: Item) -> None:
        """Send a statement as it is, unless what it makes is there already."""
        condition = self.present(item)
        if condition:
            self.unless(condition, item)
        else:
            self.run(item)

    def unless(self, condition: str, item: Item) -> bool | None:
        """Send a statement unless a condition holds; return whether it does, None: not known."""
        holds = self._holds(condition)
        if holds is None:
            guarded = conditional.block(self.bind(condition), [self.bound(item)], unless=True)
            self.sink.send(guarded, shown=item.source.shown)
        elif not holds:
            self.run(item)
        return holds

    def _do(self, erratum: Erratum) -> None:
        """Do what an erratum says, if its condition holds."""
        holds = self._holds(erratum.condition) if erratum.condition else True
        statements = [self.bind(one) for one in erratum.sql if self.wanted(one)]
        if statements and holds is None:
            text = conditional.block(self.bind(erratum.condition), statements, unless=False)
            self.sink.send(text, shown=f"errata/{erratum.id}")
        elif statements and holds:
            self.sink.send(";\n".join(statements) + ";", shown=f"errata/{erratum.id}")
        done = {"skip": "skipped", "replace": "replaced"}.get(erratum.action, erratum.action)
        self.notes.append(f"{erratum.id} {_outcome(holds, done)}")

    def _holds(self, condition: str) -> bool | None:
        """Return whether a condition holds now; None where there is no server to ask."""
        found: list[bool] = []

        def look(cursor: Cursor) -> None:
            cursor.execute(self.bind(condition))
            row = cursor.fetchone()
            found.append(bool(row and row[0]))

        self.sink.inspect(look)
        return found[0] if found else None


def _outcome(holds: bool | None, done: str) -> str:
    if holds is None:
        return f"{done} if needed"
    return done if holds else "not needed"
