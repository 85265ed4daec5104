"""Walk one way: from a version to the newest and back, comparing facts and rows at each stop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

import psycopg2

from collec_migrations.database import connection as database
from collec_migrations.errors import MigrationError
from collec_migrations.migration import verbs
from collec_migrations.paths import chain, state
from collec_migrations.paths.databases import Databases
from collec_migrations.paths.findings import Outcome, Way
from collec_migrations.paths.templates import Content, Templates, options, silent
from collec_migrations.wrapping.revision import Revision

SHOWN = 10
"""Failures told of one stop."""
BASE = "base"


@dataclass(slots=True, kw_only=True)
class Walk:
    """How far a walk has come."""

    way: Way
    wrapped: str
    """The first wrapped version on the way, or nothing."""
    up: float | None = None
    back: float | None = None
    failures: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def outcome(self) -> Outcome:
        """Return how it went."""
        return Outcome(
            way=self.way,
            up=self.up,
            back=self.back,
            failures=tuple(self.failures),
            remarks=tuple(self.remarks),
        )

    def fail(self, found: Iterator[str]) -> None:
        """Add failures, not more than can be read."""
        told = list(found)
        self.failures += told[:SHOWN]
        if len(told) > SHOWN:
            self.failures.append(f"and {len(told) - SHOWN} more")


def ways(revisions: tuple[Revision, ...], rows: int) -> tuple[Way, ...]:
    """Return every way: from nothing, and from each older version without and with rows."""
    head = revisions[-1].version
    starts = [one.version for one in revisions[:-1]]
    return (
        Way(start=None, head=head, rows=0),
        *(Way(start=start, head=head, rows=held) for start in starts for held in (0, rows)),
    )


def walk(
    way: Way, revisions: tuple[Revision, ...], databases: Databases, templates: Templates
) -> Outcome:
    """Go one way in a database of its own, and return how it went: errors are failures."""
    done = Walk(way=way, wrapped=chain.wrapped_after(way.start, revisions))
    try:
        base = None
        if way.start:
            base = templates.of(Content(version=way.start, rows=way.rows))
        with databases.fresh(base) as dsn:
            if way.start:
                _there_and_back(done, way.start, dsn, templates)
            else:
                _from_nothing(done, dsn)
    except MigrationError as error:
        done.failures.append(f"{error}\n{error.hint}".strip())
    except psycopg2.Error as error:
        done.failures.append(database.first_line(error))
    return done.outcome()


def _there_and_back(done: Walk, start: str, dsn: str, templates: Templates) -> None:
    own = state.columns(dsn)
    head = templates.maker.dsn(templates.of(Content(version=done.way.head)))
    shared = state.shared(own, state.columns(head))
    whole, kept = state.rows(dsn, own), state.rows(dsn, shared)
    _up(done, dsn)
    after = state.rows(dsn, shared)
    if done.wrapped:
        done.fail(state.fewer(kept, after))
        done.remarks += state.lost(kept, after)
        done.remarks.append(f"there is no way back from {done.wrapped}, which is wrapped")
        return
    done.fail(state.lost(kept, after))
    _back(done, dsn, start)
    done.fail(state.drift(dsn, start, wrapped=False))
    again = state.rows(dsn, own)
    done.fail(f"back at {start}: {one}" for one in state.lost(whole, again))
    done.fail(f"back at {start}: {one}" for one in state.more(whole, again))
    done.fail(f"back at {start}: the schema {name} is left" for name in state.archives(dsn))


def _from_nothing(done: Walk, dsn: str) -> None:
    _up(done, dsn)
    if done.wrapped:
        done.remarks.append(f"there is no way back from {done.wrapped}, which is wrapped")
        return
    _back(done, dsn, BASE)
    if not state.is_empty(dsn):
        done.failures.append("back at nothing: something of the application is left")


def _up(done: Walk, dsn: str) -> None:
    began = monotonic()
    verbs.upgrade(options(dsn, state.NAMES), done.way.head, say=silent)
    done.up = monotonic() - began
    done.fail(state.drift(dsn, done.way.head, wrapped=bool(done.wrapped)))


def _back(done: Walk, dsn: str, version: str) -> None:
    began = monotonic()
    verbs.downgrade(options(dsn, state.NAMES), version, say=silent)
    done.back = monotonic() - began
