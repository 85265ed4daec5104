"""Exchange the roles of a primary on this machine and of its standby, and lose nothing.

The primary stops cleanly; only when its standby is proved to have its last record is the standby
promoted. Whatever fails before that, the primary is started again.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations.errors import MigrationError, PromotionUncertain, ReplicationFailed
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import signals
from collec_migrations.replica import (
    attaching,
    configuration,
    following,
    lsn,
    machine,
    marking,
    node,
    promote_plan,
    promotion,
    rewinding,
)
from collec_migrations.replica.states import Up
from collec_migrations.replica.switch_plan import Plan

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an exchange came to."""

    promoted: promotion.Done
    stopped_at: int
    """The last record that the former primary wrote begins here."""
    had: int
    """What the standby had when it was promoted."""
    away: float
    """Seconds without a primary."""
    left: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Bytes that the former primary wrote and the new one does not have."""
        return max(0, self.stopped_at - self.had)


def switch(plan: Plan, *, say: Say) -> Done:
    """Exchange the roles.

    Raises ReplicationFailed: with the former primary running again when the standby was not
    promoted, or saying what to do when it was.
    """
    say(f"stopping {plan.primary.name}")
    _checkpoint(plan)
    began = time.monotonic()
    before = marking.read(plan.local)
    try:
        with signals.raised():
            machine.stop(plan.local)
            stopped_at, had = _proved(plan)
        say(f"{plan.target.name} has all: {lsn.shown(had)}, stopped at {lsn.shown(stopped_at)}")
        # From here on a signal must not leave it open which of the two is the primary.
        with signals.ignored():
            following.mark(plan.local, plan.order)
            promoted = promotion.promote(_promotion(plan), say=say)
    except PromotionUncertain as error:
        raise error.ended(f"{plan.primary.name} is stopped") from error
    except MigrationError as error:
        with signals.ignored():
            say(f"starting {plan.primary.name} again")
            machine.stop(plan.local)  # when a signal came, it may still be stopping
            marking.write(plan.local, before)
            machine.start(plan.local)
        raise error.ended(f"{plan.primary.name} is the primary as before") from error
    away = time.monotonic() - began
    left = (*promoted.left, *_followed(plan, say))
    return Done(promoted=promoted, stopped_at=stopped_at, had=had, away=away, left=left)


def _checkpoint(plan: Plan) -> None:
    """Write a checkpoint while all still work, so that the stop is short."""
    own = next(one for one in plan.wish.nodes if one.name == plan.primary.name)
    with suppress(MigrationError, database.Error), closing(database.connect(own.address)) as link:
        link.autocommit = True
        with link.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("checkpoint")


def _proved(plan: Plan) -> tuple[int, int]:
    """Return where the primary stopped and what the standby has, which is more; or raise."""
    folder = attaching.folder(rewinding.control_data(plan.local))
    if folder.state != "shut down":
        raise ReplicationFailed(f"{plan.primary.name} did not shut down: {folder.state}")
    deadline = time.monotonic() + plan.wish.patience
    while time.monotonic() < deadline:
        now = node.read(plan.named)
        # The last record begins at folder.position: who has more than that has it.
        if isinstance(now, Up) and min(now.end or 0, now.replayed or 0) > folder.position:
            return folder.position, now.replayed or 0
        time.sleep(0.05)
    raise ReplicationFailed(
        f"{plan.target.name} did not get the last record, at {lsn.shown(folder.position)}",
        hint="See `replica status`; nothing is lost.",
    )


def _promotion(plan: Plan) -> promote_plan.Plan:
    return promote_plan.Plan(
        target=plan.target,
        named=plan.named,
        local=None,
        slots=(plan.order.slot, *map(configuration.slot_of, plan.others)),
        overruled=(),
        notes=(),
    )


def _followed(plan: Plan, say: Say) -> tuple[str, ...]:
    """Let the former primary follow; return what is left to be done by hand."""
    retry = f"run `replica rejoin --data {plan.order.data}`"
    now = node.read(plan.named)
    if not isinstance(now, Up):
        return (f"{plan.target.name} does not answer: {retry} when it does",)
    try:
        following.begin(plan.local, plan.order, now, say=say)
    except MigrationError as error:
        return (f"{plan.primary.name} does not follow yet ({error}): {retry}",)
    own = next(one for one in plan.wish.nodes if one.name == plan.primary.name)
    names = [configuration.slot_of(one.name) for one in plan.wish.nodes]
    _, left = following.drop_stale(own, names)
    return left
