"""Walk one way: from a version to the newest and back, comparing facts and rows at each stop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

import psycopg2

from collec_migrations.errors import MigrationError, UnknownVersion
from collec_migrations.migrate import verbs
from collec_migrations.migrate.wrapped_step import ON_A_COPY
from collec_migrations.postgres import connection as database
from collec_migrations.testing import database_state, path_versions
from collec_migrations.testing.path_databases import Databases
from collec_migrations.testing.path_results import Outcome, Way
from collec_migrations.testing.templates import Content, Templates, options, silent
from collec_migrations.wrap import Revision

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


def ways(versions: Sequence[str], rows: int, only: Sequence[str]) -> tuple[Way, ...]:
    """Return every way: from nothing, and from each older version without and with rows.

    `only` restricts the starts. Raises `UnknownVersion` for one that no way starts at.
    """
    *older, head = versions
    for start in only:
        if start not in older:
            raise UnknownVersion(
                f"{start!r} is no version before {head}", hint=f"Those are {', '.join(older)}."
            )
    first = () if only else (Way(start=None, head=head, rows=0),)
    starts = only or older
    return (*first, *(Way(start=one, head=head, rows=held) for one in starts for held in (0, rows)))


def walk(
    way: Way, revisions: tuple[Revision, ...], databases: Databases, templates: Templates
) -> Outcome:
    """Go one way in a database of its own, and return how it went: errors are failures."""
    done = Walk(way=way, wrapped=path_versions.wrapped_after(way.start, revisions))
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
    head = templates.maker.dsn(templates.of(Content(version=done.way.head)))
    with database_state.opened(head) as connection:
        newest = database_state.columns(connection)
    with database_state.opened(dsn) as connection:
        own = database_state.columns(connection)
        shared = database_state.shared(own, newest)
        whole, kept = database_state.rows(connection, own), database_state.rows(connection, shared)
    _up(done, dsn)
    with database_state.opened(dsn) as connection:
        after = database_state.rows(connection, shared)
    if done.wrapped:
        done.fail(database_state.fewer(kept, after))
        done.remarks += database_state.lost(kept, after)
        return
    done.fail(database_state.lost(kept, after))
    _back(done, dsn, start)
    with database_state.opened(dsn) as connection:
        again = database_state.rows(connection, own)
        done.fail(database_state.drift(connection, start, wrapped=False))
        done.fail(f"back at {start}: {one}" for one in database_state.lost(whole, again))
        done.fail(f"back at {start}: {one}" for one in database_state.more(whole, again))
        archives = database_state.archives(connection)
        done.fail(f"back at {start}: the schema {name} is left" for name in archives)


def _from_nothing(done: Walk, dsn: str) -> None:
    _up(done, dsn)
    if done.wrapped:
        return
    _back(done, dsn, BASE)
    with database_state.opened(dsn) as connection:
        if not database_state.is_empty(connection):
            done.failures.append("back at nothing: something of the application is left")


def _up(done: Walk, dsn: str) -> None:
    began = monotonic()
    verbs.upgrade(options(dsn, database_state.NAMES), done.way.head, say=silent, remark=ON_A_COPY)
    done.up = monotonic() - began
    with database_state.opened(dsn) as connection:
        done.fail(database_state.drift(connection, done.way.head, wrapped=bool(done.wrapped)))
    if done.wrapped:
        done.remarks.append(f"there is no way back from {done.wrapped}, which is wrapped")


def _back(done: Walk, dsn: str, version: str) -> None:
    began = monotonic()
    verbs.downgrade(options(dsn, database_state.NAMES), version, say=silent)
    done.back = monotonic() - began
