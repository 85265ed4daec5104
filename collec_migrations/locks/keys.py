"""Foreign keys: both sides are locked when one is added, dropped or validated."""

from collections.abc import Iterable, Sequence
from typing import Any

from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import ForeignKey, Relation


def mode(version: int) -> Mode:
    """Return the mode in which adding a foreign key locks both tables."""
    return Mode.SHARE_ROW_EXCLUSIVE if version >= 90500 else Mode.ACCESS_EXCLUSIVE


def own_columns(constraint: Any) -> tuple[str, ...]:
    """Return the columns of a foreign key that stands apart from its column."""
    return tuple(column.sval for column in constraint.fk_attrs or ())


def add(walk: Walk, relation: Relation, constraint: Any, columns: Sequence[str]) -> None:
    """Note a new foreign key of a table: what it refers to is locked as the table is."""
    target = constraint.pktable
    for other in walk.named(target.schemaname, target.relname):
        if other is not relation:
            walk.lock(other, mode(walk.world.version))
        walk.refer(other)
        walk.world.keys.append(
            ForeignKey(
                name=constraint.conname or f"{relation.name}_{'_'.join(columns)}_fkey",
                table=relation,
                columns=tuple(columns),
                referenced=other,
                referenced_columns=tuple(c.sval for c in constraint.pk_attrs or ()),
                writes=constraint.fk_del_action in ("c", "n", "d"),
            )
        )


def drop_named(walk: Walk, relation: Relation, name: str) -> None:
    """Note that a constraint is dropped, if it is a foreign key or others depend on it."""
    found = [key for key in walk.world.keys if key.table is relation and key.name == name]
    if "?" in name:
        found = [key for key in walk.world.keys if key.table is relation]
    drop(walk, found, gone=relation)


def drop(walk: Walk, found: Iterable[ForeignKey], *, gone: Relation) -> None:
    """Note that foreign keys are dropped together with what belongs to `gone`."""
    found = tuple(found)
    for key in found:
        for side in (key.table, key.referenced):
            if side is not gone:
                walk.lock(side, Mode.ACCESS_EXCLUSIVE)
    if walk.certain:
        walk.world.keys = [key for key in walk.world.keys if key not in found]


def validate(walk: Walk, relation: Relation, name: str) -> None:
    """Note what validating a constraint locks on the other side of a foreign key."""
    for key in walk.world.keys:
        if key.table is relation and key.name == name and key.referenced is not relation:
            walk.lock(key.referenced, Mode.ROW_SHARE)
