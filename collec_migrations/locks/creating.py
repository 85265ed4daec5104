"""What CREATE locks of what is there already: what a new object refers to or replaces."""

from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError

from collec_migrations.locks import columns, keys, nodes, queries
from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import Relation


def table(walk: Walk, statement: Any) -> None:
    """Note a new table; what its foreign keys refer to is locked."""
    made = _make(walk, statement.relation, "table")
    for element in statement.tableElts or ():
        if nodes.is_a(element, ast.ColumnDef):
            made.columns[element.colname] = columns.type_of(element.typeName)
            for constraint in element.constraints or ():
                _refer(walk, made, constraint, (element.colname,))
        elif nodes.is_a(element, ast.Constraint):
            _refer(walk, made, element, keys.own_columns(element))
        elif nodes.is_a(element, ast.TableLikeClause):
            _copy(walk, element.relation)
    for parent in statement.inhRelations or ():
        whole = statement.partbound is not None and walk.world.version < 120000
        _lock(walk, parent, Mode.ACCESS_EXCLUSIVE if whole else Mode.SHARE_UPDATE_EXCLUSIVE)


def _refer(walk: Walk, made: Relation, constraint: Any, names: tuple[str, ...]) -> None:
    if constraint.contype.name == "CONSTR_FOREIGN":
        keys.add(walk, made, constraint, names)


def _make(walk: Walk, named: Any, kind: str, on: Relation | None = None) -> Relation:
    """Take in what the run makes; what is there under that name stays (`if not exists`)."""
    schema = named.schemaname or walk.world.search_path[0]
    found = walk.world.find(schema, named.relname)
    if found and found.existed:
        return Relation(schema=schema, name=named.relname, kind=kind, existed=False)
    made = Relation(schema=schema, name=named.relname, kind=kind, existed=False, on=on)
    walk.world.add(made)
    return made


def _lock(walk: Walk, named: Any, mode: Mode) -> None:
    for relation in walk.named(named.schemaname, named.relname):
        walk.lock(relation, mode)


def _copy(walk: Walk, named: Any) -> None:
    """Note a table that another is made like; PostgreSQL 18 looks at its sequences as well."""
    for relation in walk.named(named.schemaname, named.relname):
        walk.lock(relation, Mode.ACCESS_SHARE)
        with walk.doubtful():
            for sequence in relation.counters.values():
                walk.lock(sequence, Mode.ACCESS_SHARE)


def table_as(walk: Walk, statement: Any) -> None:
    """Note a new table or materialized view that is filled by a query."""
    queries.follow(walk, statement.query)
    kind = "table" if statement.objtype.name == "OBJECT_TABLE" else "materialized view"
    _make(walk, statement.into.rel, kind)


def view(walk: Walk, statement: Any) -> None:
    """Note a view: one that is replaced is locked, and what its query names is analysed."""
    queries.follow(walk, statement.query, run=False)
    used = Walk(walk.world)
    queries.follow(used, statement.query, run=False)
    reads = tuple(lock.relation for lock in used.found.values())
    former = walk.world.find(statement.view.schemaname, statement.view.relname)
    if former:
        walk.change(former, Mode.ACCESS_EXCLUSIVE)
        if walk.certain:
            former.uses = reads
    else:
        _make(walk, statement.view, "view").uses = reads


def index(walk: Walk, statement: Any) -> None:
    """Note a new index: the table is read whole, and nobody writes meanwhile."""
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if statement.concurrent else Mode.SHARE
    target = statement.relation
    for relation in walk.named(target.schemaname, target.relname):
        walk.change(relation, mode)
        walk.lock(relation, mode, scans=True)
        if statement.idxname:
            place = walk.world.place(relation)[0] or relation.schema
            walk.world.add(
                Relation(
                    schema=place, name=statement.idxname, kind="index", on=relation, existed=False
                )
            )


def sequence(walk: Walk, statement: Any) -> None:
    """Note a new sequence, and the table whose column owns it."""
    made = _make(walk, statement.sequence, "sequence")
    _belong(walk, made, statement)


def alter_sequence(walk: Walk, statement: Any) -> None:
    """Note a change of a sequence's values or of the column that owns it."""
    modern = walk.world.version >= 100000
    mode = Mode.SHARE_ROW_EXCLUSIVE if modern else Mode.ROW_EXCLUSIVE
    target = statement.sequence
    for relation in walk.named(target.schemaname, target.relname, ("sequence",)):
        walk.lock(relation, mode)
        _belong(walk, relation, statement)


def _belong(walk: Walk, relation: Relation, statement: Any) -> None:
    for option in statement.options or ():
        if option.defname == "owned_by" and len(option.arg) > 1:
            names = [item.sval for item in option.arg]
            schema = names[-3] if len(names) > 2 else None
            for owner in walk.named(schema, names[-2]):
                walk.lock(owner, Mode.ACCESS_SHARE)
                if walk.certain:
                    relation.on, relation.on_column = owner, names[-1]


def function(walk: Walk, statement: Any) -> None:
    """Note what the body of an SQL function names: the server analyses it."""
    options = {option.defname: option.arg for option in statement.options or ()}
    if statement.sql_body is not None:
        queries.follow(walk, statement.sql_body, run=False)
    language = getattr(options.get("language"), "sval", "")
    body = options.get("as")
    if language.lower() != "sql" or not body:
        return
    try:
        parsed = parse_sql(body[0].sval)
    except ParseError:
        return
    queries.follow(walk, tuple(raw.stmt for raw in parsed))
