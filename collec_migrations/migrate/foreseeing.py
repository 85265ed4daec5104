"""What the plan says of wrapped scripts: errata, extensions, rows in the way, rows that go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.migrate import asking, extending, keeping
from collec_migrations.migrate.obstacles import Obstacle
from collec_migrations.migrate.planned import Archived
from collec_migrations.postgres import extensions as reading
from collec_migrations.postgres.extensions import Extensions
from collec_migrations.wrapping import application, enums, writing
from collec_migrations.wrapping.enums import Early
from collec_migrations.wrapping.prepared import Prepared
from collec_migrations.wrapping.writing import Writes


@dataclass(kw_only=True)
class Foresight:
    """Looks ahead at the wrapped steps of one pair of schemas, by reading alone."""

    cursor: Cursor
    per_version: bool
    """Whether each version is committed by itself."""

    @cached_property
    def _extensions(self) -> Extensions:
        return reading.read(self.cursor)

    def notes(self, steps: Sequence[Prepared]) -> tuple[str, ...]:
        """Return what to say about wrapped steps that is no obstacle."""
        return tuple(note for step in steps for note in self._notes(step))

    def obstacles(self, steps: Sequence[Prepared], *, first: bool) -> Iterator[Obstacle]:
        """Yield what is lacking, and what wrapped scripts would fail at.

        `first`: no other step comes before them. A question about tables that an earlier step is
        still to make is asked again by the run.
        """
        yield from self._lacking(steps)
        yield from self._rows(steps, Writes(anything=not first))
        watch = enums.Watch()
        for step in steps:
            watch = enums.Watch() if self.per_version else watch
            yield from map(_early, watch.early(step.items))

    def losses(self, steps: Sequence[Prepared]) -> Iterator[Archived]:
        """Yield the rows, of those that there are now, that wrapped scripts delete or overwrite."""
        for step in steps:
            for item, loss in step.losses():
                if loss.stays:
                    table, rows = asking.count(self.cursor, step, item, loss)
                    yield Archived(
                        table=table,
                        column=None,
                        rows=rows,
                        what=loss.what,
                        place=item.place,
                        for_good=True,
                    )

    def _notes(self, step: Prepared) -> Iterator[str]:
        for placed in step.placements:
            erratum = placed.erratum
            item = step.script.items[placed.index]
            yield f"{erratum.id} {erratum.action} at {item.place}: {erratum.reason}"
        if step.uses:
            yield from extending.told(step.uses, self._extensions)
        for item in step.items:
            if writing.hides_writes(item.tree):
                yield keeping.note(item)
        for finding in step.script.findings:
            yield str(finding)
        yield from application.warnings(step.new, step.names)

    def _lacking(self, steps: Sequence[Prepared]) -> Iterator[Obstacle]:
        uses = [use for step in steps for use in step.uses]
        for lack in extending.lacking(uses, self._extensions) if uses else ():
            yield Obstacle(message=lack.message, hint=lack.hint)

    def _rows(self, steps: Sequence[Prepared], writes: Writes) -> Iterator[Obstacle]:
        for step in steps:
            for question in (*step.checks(), *step.duplicates(writes)):
                found = asking.ask(self.cursor, question)
                if found:
                    yield Obstacle(
                        message=asking.described(question, found),
                        hint=asking.HINT,
                        certain=question.certain,
                    )


def _early(found: Early) -> Obstacle:
    return Obstacle(
        message=f"{found.used} uses the value {found.value!r} that {found.added} adds to type"
        f" {found.type}: PostgreSQL takes a new value only after it is committed",
        hint="Where two versions add and use it: --transaction per-version. In one script: wrap a "
        "copy that names the value where the type is made, or makes the type anew.",
        certain=found.certain,
    )
