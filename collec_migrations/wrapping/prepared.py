"""A wrapped step made ready: what is sent, corrected, needed, asked and lost. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from collec_migrations import scripts
from collec_migrations.names import Names
from collec_migrations.scripts import parts, roles
from collec_migrations.wrapping import duplicates, errata, extensions, keeping
from collec_migrations.wrapping.duplicates import Question
from collec_migrations.wrapping.errata import Erratum, Placement
from collec_migrations.wrapping.extensions import Use
from collec_migrations.wrapping.keeping import Loss
from collec_migrations.wrapping.script import Item, Script
from collec_migrations.wrapping.writing import Writes


@dataclass(kw_only=True)
class Prepared:
    """One wrapped step for one pair of schemas."""

    script: Script
    old: str
    new: str
    names: Names
    whole: bool
    """False: the rights schema is that far already, only the data schema's part is sent."""
    known: Sequence[Erratum]

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The statements that are sent."""
        if self.whole:
            return self.script.items
        return tuple(item for item in self.script.items if _is_of_data(item))

    @cached_property
    def placements(self) -> tuple[Placement, ...]:
        """The errata of this step and the statements they are about."""
        known = errata.of_step(f"{self.old}-{self.new}", self.known)
        return errata.place(known, self.script.items)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """The extensions that the script makes or needs, without those an erratum replaces."""
        return extensions.uses([item for item in self.items if not self._is_gone(item)])

    def checks(self) -> tuple[Question, ...]:
        """Return what errata look for before the step, under the site's names."""
        return tuple(
            Question(
                id=one.erratum.id,
                message=one.erratum.reason,
                query=self.bind(one.erratum.sql[0]),
                certain=one.erratum.action == "abort",
            )
            for one in self.placements
            if one.erratum.action in errata.CHECKS
        )

    def duplicates(self, writes: Writes) -> Iterator[Question]:
        """Yield what to ask about new unique indexes, for the plan; `writes`: what was before."""
        for question in duplicates.questions(self.items, writes, self._corrected):
            yield question.bound(self.bind)

    def losses(self) -> Iterator[tuple[Item, Loss]]:
        """Yield what the statements delete or overwrite, where a tree tells it."""
        for item in self.items:
            if not self._is_gone(item):
                yield from ((item, loss) for loss in keeping.losses(item))

    def actions(self, item: Item) -> list[Erratum]:
        """Return the errata about a statement, without what is only asked before."""
        return [one for one in self._about(item) if one.action in errata.ACTIONS]

    def bind(self, sql: str) -> str:
        """Return SQL of the tool's own under the site's names."""
        return scripts.bind(sql, self.names.by_default_name)

    def is_wanted(self, sql: str) -> bool:
        """Say whether a correction is about a schema that this step changes."""
        return self.whole or parts.belongs(roles.changes(sql, ("col", "gacl")), "col")

    def _about(self, item: Item) -> list[Erratum]:
        return [one.erratum for one in self.placements if self.script.items[one.index] is item]

    def _is_gone(self, item: Item) -> bool:
        return any(one.action in ("skip", "replace") for one in self._about(item))

    def _corrected(self, item: Item) -> list[str] | None:
        found = self.actions(item)
        if any(one.action in errata.INSTEAD for one in found):
            return None
        return [sql for one in found for sql in one.sql]


def _is_of_data(item: Item) -> bool:
    return parts.belongs(roles.changes(item.statement.text, item.search_path), "col")
