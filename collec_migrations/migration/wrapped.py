"""Run a wrapped script: corrected by its errata, bound, nothing lost, its session put back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import ownership, scripts
from collec_migrations.database import extensions as reading
from collec_migrations.database import holdings
from collec_migrations.database.state import TOOL_TABLES
from collec_migrations.errors import MigrationError, ScriptUnreadable
from collec_migrations.migration import asking, conditional, extending, parts
from collec_migrations.migration.sinks import Sink
from collec_migrations.names import Names
from collec_migrations.scripts import roles
from collec_migrations.wrapping import choices, duplicates, errata, extensions, session
from collec_migrations.wrapping import script as loading
from collec_migrations.wrapping.duplicates import Question
from collec_migrations.wrapping.errata import Erratum, Placement
from collec_migrations.wrapping.extensions import Use
from collec_migrations.wrapping.keeping import Keeper
from collec_migrations.wrapping.script import Item, Script

ROLE = "collec"
"""The application's account, by the name that its scripts give it."""


class ScriptChanged(MigrationError):
    """A wrapped script is another than the one that was wrapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Who owns the two schemas and what is in them."""

    gacl: str
    col: str
    gacl_schema: str
    col_schema: str


def read(names: str, checksum: str, folder: Path, fallback: Path) -> Script:
    """Return the script of a revision, from the files beside it or in the folder of scripts."""
    files = [_found(name, folder, fallback) for name in names.split(", ")]
    script = loading.read(files)
    script.refuse()
    if script.checksum != checksum:
        raise ScriptChanged(
            f"{', '.join(str(file) for file in files)}: the script changed since it was wrapped",
            hint="Put the file back as it was, or remove it and its revision and wrap it again.",
        )
    return script


def _found(name: str, folder: Path, fallback: Path) -> Path:
    beside = folder / name
    return beside if beside.is_file() else fallback / name


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
    known: Sequence[Erratum] = field(default_factory=errata.known)
    notes: list[str] = field(default_factory=list)
    """What was done about the errata, for history."""

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The statements that are sent."""
        if self.whole:
            return self.script.items
        return tuple(item for item in self.script.items if self._of_data(item))

    @cached_property
    def placements(self) -> tuple[Placement, ...]:
        """The errata of this step and the statements they are about."""
        return errata.place(errata.of_step(f"{self.old}-{self.new}", self.known), self.script.items)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """The extensions that the script makes or needs, without those an erratum replaces."""
        gone = {
            id(self.script.items[one.index])
            for one in self.placements
            if one.erratum.action in ("skip", "replace")
        }
        return extensions.uses([item for item in self.items if id(item) not in gone])

    def questions(self) -> tuple[Question, ...]:
        """Return what to look for before the step, under the site's names."""
        skipped = {
            one.index for one in self.placements if one.erratum.action in ("skip", "skip_if")
        }
        left = [item for at, item in enumerate(self.script.items) if at not in skipped]
        checks = [
            Question(
                id=one.erratum.id,
                message=one.erratum.reason,
                query=one.erratum.sql[0],
                certain=one.erratum.action == "abort",
            )
            for one in self.placements
            if one.erratum.action in errata.CHECKS
        ]
        return tuple(map(self._bound_question, (*checks, *duplicates.questions(left))))

    def send(self) -> None:
        """Send everything: what is looked at before, the statements, the session put back."""
        self._check_doubts()
        self._owners = self._read_owners()
        self._reached = tuple(sorted({use.name for use in self.uses}))
        self.sink.inspect(self._check_extensions)
        self._ask()
        saved = session.settings(self.items)
        self.sink.execute(session.saving(saved))
        self._send_items()
        self.sink.execute(session.restoring(saved))

    def _ask(self) -> None:
        """Ask the errata's own questions; those about unique indexes belong to the plan."""
        ids = {one.erratum.id for one in self.placements}
        for question in self.questions():
            if question.id not in ids:
                continue
            asked: list[bool] = []

            def look(cursor: Cursor, question: Question = question) -> None:
                asked.append(True)
                if question.certain:
                    asking.refuse(cursor, question)

            self.sink.inspect(look)
            if not asked or not question.certain:
                self.sink.send(asking.block(question), shown=f"errata/{question.id}")

    def _send_items(self) -> None:
        keeper = Keeper(old=self.old, new=self.new)
        index = {id(item): at for at, item in enumerate(self.script.items)}
        waiting: list[Item] = []
        for item in self.items:
            if self._owners is None and _only_owner(item):
                continue  # whoever runs the script owns what it makes
            placed = [one.erratum for one in self.placements if one.index == index[id(item)]]
            actions = [one for one in placed if one.action in errata.ACTIONS]
            kept = keeper.before(item) if all(one.action != "skip" for one in actions) else ()
            special = actions or kept or item.opens or session.changes_path(item)
            if special or self._is_foreign(item) or not self._follows(waiting, item):
                self._send_run(waiting)
                waiting = []
            if item.opens:
                self.sink.execute(session.starting_path(self.names))
                self._reach()
            for one in kept:
                self.sink.execute(self._bind(one.sql))
            if actions or self._is_foreign(item):
                self._send_corrected(item, actions)
            else:
                waiting.append(item)
            if session.changes_path(item):
                self._send_run(waiting)
                waiting = []
                self._reach()
        self._send_run(waiting)

    def _follows(self, waiting: Sequence[Item], item: Item) -> bool:
        """Say whether a statement can go along with those that wait."""
        if not waiting:
            return True
        last = waiting[-1]
        return (
            last.source is item.source
            and last.number + 1 == item.number
            and self._roles(last) == self._roles(item)
        )

    def _is_foreign(self, item: Item) -> bool:
        """Say whether a statement depends on what only the server knows."""
        return type(item.tree).__name__ == "CreateExtensionStmt"

    def _send_run(self, items: Sequence[Item]) -> None:
        """Send statements that follow each other, on the lines where their file has them."""
        if not items:
            return
        first, last = items[0].statement, items[-1].statement
        text = "\n" * (first.line - 1) + items[0].sql[first.offset : last.end]
        bound = scripts.bind(
            text,
            self.names.by_default_name,
            roles=self._roles(items[0]),
            decisions=choices.read(items[0].source.path),
        )
        self.sink.send(f"{bound}\n;", shown=items[0].source.shown)

    def _send_corrected(self, item: Item, actions: Sequence[Erratum]) -> None:
        """Send a statement with what its errata say: before it, instead of it, after it."""
        if type(item.tree).__name__ == "CreateExtensionStmt":
            exists = f"exists (select 1 from pg_extension where extname = '{item.tree.extname}')"
            self._unless(f"select {exists}", item)
            return
        for erratum in actions:
            if erratum.action == "before":
                self._do(erratum)
        instead = [one for one in actions if one.action in ("skip", "skip_if", "replace")]
        if not instead:
            self._send_run([item])
        for erratum in instead:
            if erratum.action == "skip_if":
                skipped = self._unless(erratum.condition, item)
                self.notes.append(f"{erratum.id} {_outcome(skipped, 'skipped', 'not needed')}")
            else:
                self._do(erratum)
        for erratum in actions:
            if erratum.action == "after":
                self._do(erratum)

    def _unless(self, condition: str, item: Item) -> bool | None:
        """Send a statement unless a condition holds; return whether it did, None: not known."""
        holds = self._holds(condition)
        if holds is None:
            text = scripts.bind(
                item.statement.text, self.names.by_default_name, roles=self._roles(item)
            )
            guarded = conditional.block(self._bind(condition), [text], unless=True)
            self.sink.send(guarded, shown=item.source.shown)
        elif not holds:
            self._send_run([item])
        return holds

    def _do(self, erratum: Erratum) -> None:
        """Do what an erratum says, if its condition holds."""
        statements = [self._bind(one) for one in erratum.sql if self._is_wanted(one)]
        if not statements:
            self.notes.append(f"{erratum.id} {erratum.action}")
            return
        holds = self._holds(erratum.condition) if erratum.condition else True
        if holds is None:
            text = conditional.block(self._bind(erratum.condition), statements, unless=False)
            self.sink.send(text, shown=f"errata/{erratum.id}")
        elif holds:
            self.sink.send(";\n".join(statements) + ";", shown=f"errata/{erratum.id}")
        self.notes.append(f"{erratum.id} {_outcome(holds, erratum.action, 'not needed')}")

    def _is_wanted(self, sql: str) -> bool:
        return self.whole or parts.belongs(roles.changes(sql, ("col", "gacl")), "col")

    def _of_data(self, item: Item) -> bool:
        changed = roles.changes(item.statement.text, item.search_path)
        return parts.belongs(changed, "col")

    def _holds(self, condition: str) -> bool | None:
        """Return whether a condition holds now; None where there is no server to ask."""
        found: list[bool] = []

        def look(cursor: Cursor) -> None:
            cursor.execute(self._bind(condition))
            row = cursor.fetchone()
            found.append(bool(row and row[0]))

        self.sink.inspect(look)
        return found[0] if found else None

    def _reach(self) -> None:
        if self._reached:
            self.sink.execute(session.reaching(self._reached))

    def _bind(self, sql: str) -> str:
        return scripts.bind(sql, self.names.by_default_name)

    def _bound_question(self, question: Question) -> Question:
        return Question(
            id=question.id,
            message=question.message,
            query=self._bind(question.query),
            certain=question.certain,
        )

    def _roles(self, item: Item) -> dict[str, str]:
        """Return what the application's account is called, for what a statement is about."""
        if self._owners is None or ROLE not in item.statement.text.lower():
            return {}
        tree = item.tree
        if type(tree).__name__ == "AlterOwnerStmt" and tree.objectType.name == "OBJECT_SCHEMA":
            of_gacl = tree.object.sval == "gacl"
            return {ROLE: self._owners.gacl_schema if of_gacl else self._owners.col_schema}
        if self._owners.gacl == self._owners.col:
            return {ROLE: self._owners.col}
        changed = roles.changes(item.statement.text, item.search_path)
        return {ROLE: self._owners.gacl if changed == {"gacl"} else self._owners.col}

    def _read_owners(self) -> Owners | None:
        found: list[Owners] = []

        def look(cursor: Cursor) -> None:
            gacl, col = (holdings.read(cursor, x) for x in (self.names.gacl, self.names.col))
            found.append(
                Owners(
                    gacl=ownership.rightful_owner(gacl, tool_tables=TOOL_TABLES),
                    col=ownership.rightful_owner(col, tool_tables=TOOL_TABLES),
                    gacl_schema=gacl.schema_owner,
                    col_schema=col.schema_owner,
                )
            )

        self.sink.inspect(look)
        return found[0] if found else None

    def _check_extensions(self, cursor: Cursor) -> None:
        extending.refuse(self.uses, reading.read(cursor))

    def _check_doubts(self) -> None:
        """Raise `ScriptUnreadable` for literals that may be names and were not decided."""
        bound = self.names.by_default_name
        undecided = []
        for source in self.script.sources:
            sql = next((one.sql for one in self.script.items if one.source is source), "")
            for doubt in scripts.doubts(sql, bound, decisions=choices.read(source.path)):
                undecided.append(f"{source.shown}:{doubt.line}: {doubt.literal!r}: {doubt.reason}")
        if undecided:
            raise ScriptUnreadable(
                "literals that may be names of schemas:\n    " + "\n    ".join(undecided),
                hint=f"Decide each in the file beside the script that ends in {choices.SUFFIX}.",
            )


def _only_owner(item: Item) -> bool:
    """Say whether a statement only gives something to the application's account."""
    tree = item.tree
    if type(tree).__name__ == "AlterOwnerStmt":
        return bool(tree.newowner.rolename == ROLE)
    if type(tree).__name__ != "AlterTableStmt":
        return False
    return all(
        command.subtype.name == "AT_ChangeOwner" and command.newowner.rolename == ROLE
        for command in tree.cmds
    )


def _outcome(holds: bool | None, then: str, otherwise: str) -> str:
    if holds is None:
        return f"{then} if needed"
    return then if holds else otherwise
