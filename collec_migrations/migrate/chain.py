"""Which steps a run takes: exact versions only; a fresh database starts from a creation."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic import op
from alembic.runtime.migration import MigrationContext, RevisionStep

from collec_migrations.errors import UnknownVersion

if TYPE_CHECKING:
    from collec_migrations.migrate.run import Run

Work: TypeAlias = Callable[[Any, MigrationContext], Iterable[Any]]
"""What an Alembic command hands to env.py: from the current heads to the steps to take."""

_RELATIVE = re.compile(r"(head|base)?[+-]\d+")


def check_version(text: str, versions: Sequence[str]) -> None:
    """Raise `UnknownVersion` unless `text` is an exact version, head, base or +N, -N.

    Alembic takes any unique beginning for a version: `1` would mean whichever is alone.
    """
    if text in versions or text in ("head", "heads", "base") or _RELATIVE.fullmatch(text):
        return
    raise UnknownVersion(
        f"{text!r} is not a version of the database",
        hint=f"Versions are {', '.join(versions)}; also head, base, +1 and -1.",
    )


def followed(work: Work, made: Callable[[], "Run"]) -> Work:
    """Return `work` with fresh databases started from a creation, each step told to the run.

    The run is made when there is a step: a command without one needs none.
    """

    def plan(heads: Any, context: MigrationContext) -> Iterator[Any]:
        found = shortened(tuple(work(heads, context)), fresh=not heads)
        if not found:
            return
        run = made()
        run.foresee(found)
        for step in found:
            run.begin(step)
            if isinstance(step, RevisionStep):
                step.migration_fn = _searching(step.migration_fn, run)
            yield step

    return plan


def _searching(function: Callable[..., Any], run: "Run") -> Callable[..., Any]:
    """Return a step's function with its path, which ends before Alembic writes its own table."""

    def searching(*arguments: Any, **named: Any) -> Any:
        with run.searching():
            return function(*arguments, **named)

    return update_wrapper(searching, function)


def shortened(found: Sequence[Any], *, fresh: bool) -> tuple[Any, ...]:
    """Return the steps to take: on a fresh database the newest creation replaces those before."""
    if not fresh or not all(isinstance(step, RevisionStep) and step.is_upgrade for step in found):
        return tuple(found)
    for index in range(len(found) - 1, -1, -1):
        creation = getattr(found[index].revision.module, "creation", None)
        if creation:
            return (Creation(found[index]), *found[index + 1 :])
    return tuple(found)


def _create(**_: Any) -> None:
    run = op.get_context().opts["collec_run"]()
    run.create()


class Creation(RevisionStep):
    """A step that makes a version from nothing; Alembic shows it without a version before."""

    def __init__(self, step: RevisionStep) -> None:
        super().__init__(step.revision_map, step.revision, is_upgrade=True)
        self.migration_fn = update_wrapper(_create, self.migration_fn)

    @property
    def from_revisions_no_deps(  # type: ignore[override]  # as Alembic's own RevisionStep does
        self,
    ) -> tuple[str, ...]:
        """Return nothing: no version comes before."""
        return ()


def versions_between(versions: Sequence[str], old: str | None, new: str) -> Sequence[str]:
    """Return the versions after `old`, None: from the first on, up to `new`."""
    first = 0 if old is None else versions.index(old) + 1
    return versions[first : versions.index(new) + 1]


def version_before(versions: Sequence[str], version: str) -> str | None:
    """Return the version before, or None for the first one."""
    index = versions.index(version)
    return versions[index - 1] if index else None


def versions_left(
    versions: Sequence[str], *, at: str, needed: Iterable[str | None]
) -> tuple[str, ...]:
    """Return the versions that a schema leaves to be no newer than is needed, newest first."""
    kept = max((versions.index(one) + 1 for one in needed if one), default=0)
    return tuple(reversed(versions_between(versions, None, at)[kept:]))
