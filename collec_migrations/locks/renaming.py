"""What ALTER ... RENAME and SET SCHEMA lock, and under which name things go on."""

from typing import Any

from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import PLACEHOLDER, Relation

RELATIONS = frozenset(
    {
        "OBJECT_TABLE",
        "OBJECT_VIEW",
        "OBJECT_MATVIEW",
        "OBJECT_SEQUENCE",
        "OBJECT_FOREIGN_TABLE",
        "OBJECT_INDEX",
    }
)


def rename(walk: Walk, statement: Any) -> None:
    """Note a new name of a relation, or of something that belongs to one."""
    kind = statement.renameType.name
    if kind == "OBJECT_SCHEMA":
        _rename_schema(walk, statement.subname, statement.newname)
        return
    if statement.relation is None:
        return
    for relation in walk.named(statement.relation.schemaname, statement.relation.relname):
        walk.change(relation, Mode.ACCESS_EXCLUSIVE)
        if kind in RELATIONS:
            schema = walk.world.place(relation)[0]
            _call(walk, relation, schema, statement.newname)
        elif kind == "OBJECT_COLUMN" and walk.certain and statement.subname in relation.columns:
            relation.columns[statement.newname] = relation.columns.pop(statement.subname)


def move(walk: Walk, statement: Any) -> None:
    """Note that a relation goes to another schema, and a table's sequences with it."""
    if statement.relation is None:
        return
    target = statement.relation
    for relation in walk.named(target.schemaname, target.relname):
        along = walk.world.sequences_of(relation)
        walk.remove(relation, moved=True)
        walk.change(relation, Mode.ACCESS_EXCLUSIVE)
        for moved in (relation, *along):
            walk.lock(moved, Mode.ACCESS_EXCLUSIVE)
            name = walk.world.place(moved)[1]
            if moved is relation:
                name = target.relname
            _call(walk, moved, statement.newschema, name)


def _call(walk: Walk, relation: Relation, schema: str, name: str) -> None:
    if PLACEHOLDER not in name + schema:
        walk.world.call(relation, schema, name, certain=walk.certain)


def _rename_schema(walk: Walk, schema: str, name: str) -> None:
    for relation in walk.world.within(schema):
        _call(walk, relation, name, walk.world.place(relation)[1])
