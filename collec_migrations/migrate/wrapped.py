"""Run a wrapped script: looked into beforehand, corrected, bound, its session put back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import scripts
from collec_migrations.errors import ScriptUnreadable
from collec_migrations.migrate import account, asking, extending, keeping
from collec_migrations.migrate.account import Owners
from collec_migrations.migrate.correcting import Corrector
from collec_migrations.migrate.sinks import Sink
from collec_migrations.postgres import extensions as reading
from collec_migrations.postgres import quoting
from collec_migrations.wrapping import choices, session
from collec_migrations.wrapping import reading as decoding
from collec_migrations.wrapping.duplicates import Question
from collec_migrations.wrapping.errata import Erratum
from collec_migrations.wrapping.keeping import Keeper, Kept
from collec_migrations.wrapping.prepared import Prepared
from collec_migrations.wrapping.script import Item


@dataclass(kw_only=True)
class Sending:
    """One wrapped step on its way."""

    step: Prepared
    sink: Sink
    notes: list[str] = field(default_factory=list)
    """What there was to say of extensions when it ran."""
    _owners: Owners | None = None

    @cached_property
    def corrector(self) -> Corrector:
        """What carries out the errata, and notes what it did."""
        return Corrector(
            sink=self.sink,
            bind=self.step.bind,
            wanted=self.step.is_wanted,
            run=lambda item: self._send_together([item]),
            present=_presence,
            bound=lambda item: self._bound(item.statement.text, item),
        )

    def send(self) -> None:
        """Send everything: what is looked at before, the statements, the session put back."""
        self._refuse_doubts()
        self._owners = account.owners(self.sink, self.step.names)
        self.sink.inspect(self._refuse_lacking)
        for check in self.step.checks():
            self._ask(check)
        saved = session.settings(self.step.items)
        self.sink.execute(session.saving(saved))
        self._send_items()
        self.sink.execute(session.restoring(saved))

    def _send_items(self) -> None:
        keeper = Keeper(old=self.step.old, new=self.step.new)
        waiting: list[Item] = []
        opened = None
        for item in self.step.items:
            actions = self.step.actions(item)
            kept = () if any(one.action == "skip" for one in actions) else keeper.before(item)
            watched = keeping.watches(item)
            is_special = bool(actions or kept or watched or self._is_alone(item))
            if is_special or not self._follows(waiting, item):
                self._send_together(waiting)
                waiting = []
            if item.session != opened:
                opened = item.session
                self.sink.execute(session.starting_path(self.step.names))
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
            self.sink.execute(self.step.bind(one.sql))
        watched = keeping.watches(item) and not any(one.action == "skip" for one in actions)
        if watched:
            self.sink.execute(keeping.begin(self.step, item))
        self.corrector.send(item, actions)
        if watched:
            self.sink.execute(keeping.end(self.step))

    def _is_alone(self, item: Item) -> bool:
        return _makes_extension(item) or self._owner_is_unknown(item)

    def _owner_is_unknown(self, item: Item) -> bool:
        """Say whether a statement names the application's account and no server tells who it is."""
        return self._owners is None and account.names_account(item)

    def _send_together(self, items: Sequence[Item]) -> None:
        """Send statements that follow each other, on the lines where their file has them."""
        if not items:
            return
        if self._owner_is_unknown(items[0]):
            bound = self._bound(items[0].statement.text, items[0])
            self.sink.execute(account.at_run_time(items[0], bound, self.step.names))
            return
        first, last = items[0].statement, items[-1].statement
        text = "\n" * (first.line - 1) + items[0].sql[first.offset : last.end]
        self.sink.send(f"{self._bound(text, items[0])}\n;", shown=items[0].source.shown)

    def _bound(self, text: str, item: Item) -> str:
        try:
            return scripts.bind(
                text,
                self.step.names.by_default_name,
                roles=self._roles(item),
                decisions=choices.read(item.source.path),
            )
        except ScriptUnreadable as error:
            raise decoding.placed(error, item.source) from None

    def _roles(self, item: Item) -> dict[str, str]:
        return self._owners.roles(item) if self._owners else {account.ROLE: account.UNKNOWN}

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
        return tuple(sorted({use.name for use in self.step.uses}))

    def _reach_extensions(self) -> None:
        if self._reached:
            self.sink.execute(session.reaching(self._reached))

    def _refuse_lacking(self, cursor: Cursor) -> None:
        if self.step.uses:
            found = reading.read(cursor)
            extending.refuse(self.step.uses, found)
            self.notes += extending.told(self.step.uses, found)

    def _refuse_doubts(self) -> None:
        choices.refuse_undecided(self.step.script, self.step.names.by_default_name)


def _presence(item: Item) -> str:
    if not _makes_extension(item):
        return ""
    name = quoting.literal(item.tree.extname)
    return f"select exists (select 1 from pg_extension where extname = {name})"


def _makes_extension(item: Item) -> bool:
    return type(item.tree).__name__ == "CreateExtensionStmt"
