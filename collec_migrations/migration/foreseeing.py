"""What the plan says of wrapped scripts: errata, extensions, rows that would be in the way."""

from collections.abc import Iterator, Sequence

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.database import extensions as reading
from collec_migrations.migration import asking, extending
from collec_migrations.migration.obstacles import Obstacle
from collec_migrations.migration.wrapped import Sending
from collec_migrations.wrapping import application


def notes(steps: Sequence[Sending]) -> tuple[str, ...]:
    """Return what to say about wrapped steps that is no obstacle."""
    return tuple(note for step in steps for note in _of(step))


def obstacles(cursor: Cursor, steps: Sequence[Sending]) -> tuple[Obstacle, ...]:
    """Return what is lacking, and the rows that wrapped scripts would meet now; reads only.

    A question about tables that an earlier step is still to make is asked again by the run.
    """
    return tuple(dict.fromkeys((*_extensions(cursor, steps), *_rows(cursor, steps))))


def _of(step: Sending) -> Iterator[str]:
    for placed in step.placements:
        erratum = placed.erratum
        item = step.script.items[placed.index]
        yield f"{erratum.id} {erratum.action} at {item.place}: {erratum.reason}"
    for use in step.uses:
        if use.made:
            yield f"makes extension {use.name} at {use.place} unless it is there"
    for finding in step.script.findings:
        yield str(finding)
    yield from application.warnings(step.new, step.names)


def _extensions(cursor: Cursor, steps: Sequence[Sending]) -> Iterator[Obstacle]:
    uses = [use for step in steps for use in step.uses]
    if not uses:
        return
    for lack in extending.lacking(uses, reading.read(cursor)):
        yield Obstacle(message=lack.message, hint=lack.hint)


def _rows(cursor: Cursor, steps: Sequence[Sending]) -> Iterator[Obstacle]:
    for step in steps:
        for question in (*step.checks(), *step.duplicates()):
            found = asking.ask(cursor, question)
            if found:
                yield Obstacle(
                    message=asking.described(question, found),
                    hint=asking.HINT,
                    certain=question.certain,
                )
