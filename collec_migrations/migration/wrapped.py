"""Run a wrapped script: looked into beforehand, corrected, bound, its session put back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import scripts
from collec_migrations.database import extensions as reading
from collec_migrations.errors import ScriptUnreadable
from collec_migrations.migration import account, asking, extending, parts
from collec_migrations.migration.account import Owners
from collec_migrations.migration.correcting import Corrector
from collec_migrations.migration.sinks import Sink
from collec_migrations.names import Names
from collec_migrations.scripts import roles
from collec_migrations.wrapping import choices, duplicates, errata, extensions, session
from collec_migrations.wrapping import script as loading
from collec_migrations.wrapping.duplicates import Question
from collec_migrations.wrapping.errata import Erratum, Placement
from collec_migrations.wrapping.extensions import Use
from collec_migrations.wrapping.keeping import Keeper, Kept
from collec_migrations.wrapping.script import Item, Script


@dataclass(kw_only=True)
class Sending:
    """One wrapped step for one pair of schemas."""

    script: Script
    old: str
    new: str
    names: Names
    sink: Sink
    whole: bool
    """False: the rights schema is that far already, only the data schema's part is sent."""
    known: Sequence[Erratum]
    _owners: Owners | None = None

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The statements that are sent."""
        if self.whole:
            return self.script.items
        return tuple(
            item
            for item in self.script.items
            if parts.belongs(roles.changes(item.statement.text, item.search_path), "col")
        )

    @cached_property
    def placements(self) -> tuple[Placement, ...]:
        """The errata of this step and the statements they are about."""
        known = errata.of_step(f"{self.old}-{self.new}", self.known)
        return errata.place(known, self.script.items)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """The extensions that the script makes or needs, without those an erratum replaces."""
        return extensions.uses(self._without("skip", "replace"))

    @cached_property
    def corrector(self) -> Corrector:
        """What carries out the errata, and notes what it did."""
        return Corrector(
            sink=self.sink,
            bind=lambda sql: scripts.bind(sql, self.names.by_default_name),
            wanted=self._is_wanted,
            run=lambda item: self._send_together([item]),
            bound=lambda item: self._bound(item.statement.text, item),
        )

    def checks(self) -> tuple[Question, ...]:
        """Return what errata look for before the step, under the site's names."""
        return tuple(
            self._named(
                Question(
                    id=one.erratum.id,
                    message=one.erratum.reason,
                    query=one.erratum.sql[0],
                    certain=one.erratum.action == "abort",
                )
            )
            for one in self.placements
            if one.erratum.action in errata.CHECKS
        )

    def duplicates(self) -> tuple[Question, ...]:
        """Return what to ask about new unique indexes, for the plan: the script may cure it."""
        found = duplicates.questions(self._without("skip", "skip_if", "replace"))
        return tuple(map(self._named, found))

    def send(self) -> None:
        """Send everything: what is looked at before, the statements, the session put back."""
        self._refuse_doubts()
        self._owners = account.owners(self.sink, self.names)
        self.sink.inspect(self._refuse_lacking)
        for check in self.checks():
            self._ask(check)
        saved = session.settings(self.items)
        self.sink.execute(session.saving(saved))
        self._send_items()
        self.sink.execute(session.restoring(saved))

    def _send_items(self) -> None:
        keeper = Keeper(old=self.old, new=self.new)
        waiting: list[Item] = []
        opened = None
        for item in self.items:
            if self._owners is None and account.only_gives(item):
                continue  # whoever runs the script owns what it makes
            actions = self._actions(item)
            kept = () if any(one.action == "skip" for one in actions) else keeper.before(item)
            is_special = bool(actions or kept or _makes_extension(item))
            if is_special or not self._follows(waiting, item):
                self._send_together(waiting)
                waiting = []
            if item.session != opened:
                opened = item.session
                self.sink.execute(session.starting_path(self.names))
                self._reach_extensions()
            if is_special:
                self._send_special(item, actions, kept)
            else:
                waiting.append(item)
            if self._reached and session.changes_path(item):
                self._send_together(waiting)
                waiting = []
                self._reach_extensions()
        self._send_together(waiting)

    def _send_special(self, item: Item, actions: Sequence[Erratum], kept: Sequence[Kept]) -> None:
        """Send a statement by itself, with what is to be done around it."""
        for one in kept:
            self.sink.execute(self.corrector.bind(one.sql))
        if _makes_extension(item) and not actions:
            name = item.tree.extname.replace("'", "''")
            exists = f"select exists (select 1 from pg_extension where extname = '{name}')"
            self.corrector.unless(exists, item)
        else:
            self.corrector.send(item, actions)

    def _send_together(self, items: Sequence[Item]) -> None:
        """Send statements that follow each other, on the lines where their file has them."""
        if not items:
            return
        first, last = items[0].statement, items[-1].statement
        text = "\n" * (first.line - 1) + items[0].sql[first.offset : last.end]
        self.sink.send(f"{self._bound(text, items[0])}\n;", shown=items[0].source.shown)

    def _bound(self, text: str, item: Item) -> str:
        try:
            return scripts.bind(
                text,
                self.names.by_default_name,
                roles=self._roles(item),
                decisions=choices.read(item.source.path),
            )
        except ScriptUnreadable as error:
            raise loading.placed(error, item.source) from None

    def _roles(self, item: Item) -> dict[str, str]:
        return self._owners.roles(item) if self._owners else {}

    def _follows(self, waiting: Sequence[Item], item: Item) -> bool:
        """Say whether a statement can go along with those that wait."""
        if not waiting:
            return True
        last = waiting[-1]
        return (
            last.source is item.source
            and last.number + 1 == item.number
            and last.session == item.session
            and self._roles(last) == self._roles(item)
        )

    def _actions(self, item: Item) -> list[Erratum]:
        return [
            one.erratum
            for one in self.placements
            if self.script.items[one.index] is item and one.erratum.action in errata.ACTIONS
        ]

    def _without(self, *actions: str) -> list[Item]:
        """Return the statements that no erratum of these kinds is about."""
        gone = [
            self.script.items[one.index] for one in self.placements if one.erratum.action in actions
        ]
        return [item for item in self.items if not any(item is one for one in gone)]

    def _is_wanted(self, sql: str) -> bool:
        return self.whole or parts.belongs(roles.changes(sql, ("col", "gacl")), "col")

    def _named(self, question: Question) -> Question:
        return question.bound(self.corrector.bind)

    def _ask(self, question: Question) -> None:
        """Ask now, or, where there is no server, when the script runs."""
        asked: list[bool] = []

        def look(cursor: Cursor) -> None:
            asked.append(True)
            if question.certain:
                asking.refuse(cursor, question)

        self.sink.inspect(look)
        if not asked or not question.certain:
            self.sink.send(asking.block(question), shown=f"errata/{question.id}")

    @property
    def _reached(self) -> tuple[str, ...]:
        return tuple(sorted({use.name for use in self.uses}))

    def _reach_extensions(self) -> None:
        if self._reached:
            self.sink.execute(session.reaching(self._reached))

    def _refuse_lacking(self, cursor: Cursor) -> None:
        extending.refuse(self.uses, reading.read(cursor))

    def _refuse_doubts(self) -> None:
        choices.refuse_undecided(self.script, self.names.by_default_name)


def _makes_extension(item: Item) -> bool:
    return type(item.tree).__name__ == "CreateExtensionStmt"
