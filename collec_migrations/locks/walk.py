"""Gather what one statement does, while its syntax tree is followed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from collec_migrations.locks.modes import Lock, Mode
from collec_migrations.locks.world import ANY, PLACEHOLDER, Relation, World

Node: Any = object
"""A node of pglast: its classes are generated and not typed."""

VIEW_KINDS = ("view", "materialized view")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Rows or values that a statement takes out of the application's sight."""

    relation: Relation
    column: str | None
    """None: the whole table."""
    moved: bool
    """Whether the table goes to another schema as it is."""
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a statement does to what was there before it."""

    locks: tuple[Lock, ...]
    """Strongest first; at most one that is certain and one that is not for each relation."""
    removals: tuple[Removal, ...]
    changed: tuple[tuple[Relation, bool], ...] = ()
    """What only its owner may do this to, and whether that happens for certain."""
    referred: tuple[tuple[Relation, bool], ...] = ()
    """What new foreign keys refer to, and whether they are made for certain."""


@dataclass(slots=True)
class Walk:
    """The state of following one statement."""

    world: World
    certain: bool = True
    candidates: Sequence[Relation] | None = None
    """What a name may stand for that only a loop knows; None: anything."""
    found: dict[tuple[Relation, bool], Lock] = field(default_factory=dict)
    removals: list[Removal] = field(default_factory=list)
    changed: dict[tuple[Relation, bool], None] = field(default_factory=dict)
    referred: dict[tuple[Relation, bool], None] = field(default_factory=dict)

    @contextmanager
    def doubtful(self, candidates: Sequence[Relation] | None = None) -> Iterator[None]:
        """Follow what happens only perhaps; `candidates` are what its unknown names may mean."""
        before = self.certain, self.candidates
        self.certain = False
        self.candidates = self.candidates if candidates is None else candidates
        yield
        self.certain, self.candidates = before

    def lock(
        self, relation: Relation, mode: Mode, *, rewrites: bool = False, scans: bool = False
    ) -> None:
        """Note a lock; indexes and what the run itself makes are left out."""
        if not relation.existed or relation.kind == "index":
            return
        key = (relation, self.certain)
        former = self.found.get(key)
        self.found[key] = Lock(
            relation=relation,
            mode=max(mode, former.mode) if former else mode,
            rewrites=rewrites or bool(former and former.rewrites),
            scans=scans or bool(former and former.scans),
            certain=self.certain,
        )

    def change(self, relation: Relation, mode: Mode) -> None:
        """Note a lock for a change that only the owner may make."""
        self.lock(relation, mode)
        if relation.existed and relation.kind != "unknown" and self.candidates is None:
            self.changed[relation, self.certain] = None

    def refer(self, relation: Relation) -> None:
        """Note that a foreign key to a table is made."""
        if relation.existed:
            self.referred[relation, self.certain] = None

    def read(self, relation: Relation, mode: Mode = Mode.ACCESS_SHARE) -> None:
        """Note that a relation is read; through a view what it reads as well."""
        self.lock(relation, mode)
        for used in relation.uses if relation.kind == "view" else ():
            self.read(used, mode)

    def remove(self, relation: Relation, column: str | None = None, *, moved: bool = False) -> None:
        """Note that rows of a table, or values of a column, go out of sight."""
        if relation.existed and relation.is_table:
            self.removals.append(
                Removal(relation=relation, column=column, moved=moved, certain=self.certain)
            )

    def named(self, schema: str | None, name: str, kinds: Sequence[str] = ()) -> Iterator[Relation]:
        """Yield what a name stands for; several, and not for certain, when a loop gives it.

        While a caller handles one, `certain` tells whether the name means it for certain.
        """
        if PLACEHOLDER not in name:
            found = self.world.find(schema, name)
            if found and (not kinds or found.kind in kinds):
                yield found
            return
        known = self.candidates
        with self.doubtful():
            for relation in (ANY,) if known is None else known:
                if not kinds or relation is ANY or relation.kind in kinds:
                    yield relation

    def effects(self) -> Effects:
        """Return what was gathered, without the doubtful that the certain includes."""
        locks = [lock for lock in self.found.values() if not self._included(lock)]
        locks.sort(key=lambda lock: (-lock.mode, not lock.certain, str(lock.relation)))
        return Effects(
            locks=tuple(locks),
            removals=tuple(dict.fromkeys(self.removals)),
            changed=tuple(self.changed),
            referred=tuple(self.referred),
        )

    def _included(self, lock: Lock) -> bool:
        sure = self.found.get((lock.relation, True))
        return (
            not lock.certain
            and sure is not None
            and sure.mode >= lock.mode
            and sure.rewrites >= lock.rewrites
            and sure.scans >= lock.scans
        )
