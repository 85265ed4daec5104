"""What DROP and TRUNCATE lock, and what they take away."""

from typing import Any

from collec_migrations.locks import dynamic, keys
from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import Relation

KINDS = {
    "OBJECT_TABLE": ("table",),
    "OBJECT_VIEW": ("view",),
    "OBJECT_MATVIEW": ("materialized view",),
    "OBJECT_SEQUENCE": ("sequence",),
    "OBJECT_FOREIGN_TABLE": ("foreign table",),
    "OBJECT_INDEX": ("index",),
}
OF_TABLE = ("OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY")


def drop(walk: Walk, statement: Any) -> None:
    """Note what DROP takes away, with all that hangs on it."""
    kind = statement.removeType.name
    if (
        kind not in (*KINDS, *OF_TABLE, "OBJECT_SCHEMA")
        and statement.behavior.name == "DROP_CASCADE"
    ):
        # A function or type takes triggers, defaults and columns of any table along.
        dynamic.anything(walk)
    for named in statement.objects:
        if kind == "OBJECT_SCHEMA":
            _drop_schema(walk, named.sval)
        elif kind in OF_TABLE:
            for relation in _named(walk, named[:-1], ()):
                walk.lock(relation, Mode.ACCESS_EXCLUSIVE)
        elif kind == "OBJECT_INDEX":
            _drop_index(walk, named, concurrent=statement.concurrent)
        elif kind in KINDS:
            for relation in _named(walk, named, KINDS[kind]):
                _drop_relation(walk, relation)


def truncate(walk: Walk, statement: Any) -> None:
    """Note what TRUNCATE empties; with CASCADE what refers to it as well."""
    cascade = statement.behavior.name == "DROP_CASCADE"
    for target in statement.relations:
        for relation in walk.named(target.schemaname, target.relname):
            _empty(walk, relation, cascade=cascade, seen=set())


def _empty(walk: Walk, relation: Relation, *, cascade: bool, seen: set[Relation]) -> None:
    seen.add(relation)
    walk.lock(relation, Mode.ACCESS_EXCLUSIVE, rewrites=True)
    walk.remove(relation)
    for key in walk.world.keys if cascade else ():
        if key.referenced is relation and key.table not in seen:
            _empty(walk, key.table, cascade=True, seen=seen)


def _named(walk: Walk, names: Any, kinds: tuple[str, ...]) -> Any:
    schema = names[-2].sval if len(names) > 1 else None
    return walk.named(schema, names[-1].sval, kinds)


def _drop_relation(walk: Walk, relation: Relation) -> None:
    walk.change(relation, Mode.ACCESS_EXCLUSIVE)
    for along in (*walk.world.sequences_of(relation), *walk.world.views_on(relation)):
        walk.lock(along, Mode.ACCESS_EXCLUSIVE)
    keys.drop(walk, walk.world.keys_of(relation), gone=relation)
    walk.remove(relation)
    if walk.certain:
        walk.world.forget(relation)


def _drop_index(walk: Walk, names: Any, *, concurrent: bool) -> None:
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if concurrent else Mode.ACCESS_EXCLUSIVE
    for index in _named(walk, names, ("index",)):
        if index.on is not None:
            walk.change(index.on, mode)


def _drop_schema(walk: Walk, schema: str) -> None:
    for relation in walk.world.within(schema):
        if relation.kind != "index":
            _drop_relation(walk, relation)
