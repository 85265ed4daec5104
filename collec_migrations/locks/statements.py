"""What each kind of statement locks."""

from collections.abc import Callable
from typing import Any

from pglast import ast, parse_sql

from collec_migrations.locks import altering, blocks, creating, dropping, nodes, queries, renaming
from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Effects, Walk
from collec_migrations.locks.world import World

Follower = Callable[[Walk, Any], None]

OF_TABLE = frozenset({"OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY"})
RELATIONS = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE"}
)


def effects(world: World, sql: str) -> Effects:
    """Return what a statement does to `world`, in which its changes are then made.

    Raises pglast's `ParseError` for what is not SQL.
    """
    walk = Walk(world)
    parsed: Any = parse_sql(sql)
    for raw in parsed:
        if nodes.is_a(raw.stmt, ast.DoStmt):
            start, size = raw.stmt_location, raw.stmt_len
            blocks.follow(walk, sql[start : start + size if size else None], follow)
        else:
            follow(walk, raw.stmt)
    return walk.effects()


def follow(walk: Walk, statement: Any) -> None:
    """Note what one statement does; kinds that lock no table are passed over."""
    follower = FOLLOWERS.get(type(statement))
    if follower:
        follower(walk, statement)


def _comment(walk: Walk, statement: Any) -> None:
    kind = statement.objtype.name
    names = statement.object
    if kind in OF_TABLE:
        level, place = Mode.ACCESS_SHARE, names[:-1]
    elif kind == "OBJECT_COLUMN":
        level, place = Mode.SHARE_UPDATE_EXCLUSIVE, names[:-1]
    elif kind in RELATIONS:
        level, place = Mode.SHARE_UPDATE_EXCLUSIVE, names
    else:
        return
    schema, name = _qualified(place)
    for relation in walk.named(schema, name):
        walk.change(relation, level)


def _qualified(names: Any) -> tuple[str | None, str]:
    return (names[-2].sval if len(names) > 1 else None), names[-1].sval


def _lock(walk: Walk, statement: Any) -> None:
    for target in statement.relations:
        for relation in walk.named(target.schemaname, target.relname):
            walk.read(relation, Mode(statement.mode))


def _set(walk: Walk, statement: Any) -> None:
    """Follow a change of the search path."""
    if statement.name == "search_path" and walk.certain:
        texts = [nodes.text_of(item) or "" for item in statement.args or ()]
        walk.world.search_path = tuple(
            part.strip().strip('"') for text in texts for part in text.split(",")
        )


def _exclusively(walk: Walk, statement: Any) -> None:
    target = statement.relation or getattr(statement, "table", None)
    for relation in walk.named(target.schemaname, target.relname) if target else ():
        walk.lock(relation, Mode.ACCESS_EXCLUSIVE)


def _policy(walk: Walk, statement: Any) -> None:
    for relation in walk.named(statement.table.schemaname, statement.table.relname):
        walk.lock(relation, Mode.ACCESS_EXCLUSIVE)


def _rewrite(walk: Walk, statement: Any) -> None:
    target = statement.relation
    for relation in walk.named(target.schemaname, target.relname) if target else ():
        walk.lock(relation, Mode.ACCESS_EXCLUSIVE, rewrites=True, scans=True)


def _refresh(walk: Walk, statement: Any) -> None:
    target = statement.relation
    level = Mode.EXCLUSIVE if statement.concurrent else Mode.ACCESS_EXCLUSIVE
    for relation in walk.named(target.schemaname, target.relname):
        walk.lock(relation, level, rewrites=not statement.concurrent)
        for used in relation.uses:
            walk.read(used)


def _trigger(walk: Walk, statement: Any) -> None:
    modern = walk.world.version >= 90500
    level = Mode.SHARE_ROW_EXCLUSIVE if modern else Mode.ACCESS_EXCLUSIVE
    for relation in walk.named(statement.relation.schemaname, statement.relation.relname):
        walk.lock(relation, level)
    if statement.constrrel:
        for relation in walk.named(statement.constrrel.schemaname, statement.constrrel.relname):
            walk.lock(relation, Mode.ACCESS_SHARE)


def _grant(walk: Walk, statement: Any) -> None:
    """Note what GRANT locks: from PostgreSQL 18 on, the tables it names."""
    if statement.targtype.name != "ACL_TARGET_OBJECT" or walk.world.version < GRANT_LOCKS:
        return
    if statement.objtype.name in RELATIONS:
        for target in statement.objects:
            for relation in walk.named(target.schemaname, target.relname):
                walk.lock(relation, Mode.ACCESS_SHARE)


GRANT_LOCKS = 180000

FOLLOWERS: dict[type, Follower] = {
    ast.AlterTableStmt: altering.alter,
    ast.AlterSeqStmt: creating.alter_sequence,
    ast.AlterObjectSchemaStmt: renaming.move,
    ast.ClusterStmt: _rewrite,
    ast.CommentStmt: _comment,
    ast.CreateFunctionStmt: creating.function,
    ast.CreatePolicyStmt: _policy,
    ast.CreateSeqStmt: creating.sequence,
    ast.CreateStmt: creating.table,
    ast.CreateTableAsStmt: creating.table_as,
    ast.CreateTrigStmt: _trigger,
    ast.DeleteStmt: queries.follow,
    ast.DropStmt: dropping.drop,
    ast.GrantStmt: _grant,
    ast.IndexStmt: creating.index,
    ast.InsertStmt: queries.follow,
    ast.LockStmt: _lock,
    ast.MergeStmt: queries.follow,
    ast.RefreshMatViewStmt: _refresh,
    ast.RenameStmt: renaming.rename,
    ast.RuleStmt: _exclusively,
    ast.SelectStmt: queries.follow,
    ast.TruncateStmt: dropping.truncate,
    ast.UpdateStmt: queries.follow,
    ast.VariableSetStmt: _set,
    ast.ViewStmt: creating.view,
}
