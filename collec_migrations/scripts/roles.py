"""Which of the two schemas a statement changes, so that a shared one is changed once."""

from collections.abc import Iterable, Iterator
from typing import Any

from collec_migrations.scripts import hiding, loose, naming, trees
from collec_migrations.scripts.binding import bind
from collec_migrations.scripts.hiding import Use, last_name
from collec_migrations.scripts.naming import Meaning
from collec_migrations.scripts.statements import Statement, split
from collec_migrations.scripts.trees import Place, Step

Path = tuple[str, ...]
Roles = frozenset[str]

ROLES = {"gacl": "gacl", "gacl_archive": "gacl", "col": "col", "col_archive": "col"}
"""What each schema of a script belongs to."""

_TARGETS = {
    ("CreateStmt", "relation"),
    ("ViewStmt", "view"),
    ("IndexStmt", "relation"),
    ("AlterTableStmt", "relation"),
    ("InsertStmt", "relation"),
    ("UpdateStmt", "relation"),
    ("DeleteStmt", "relation"),
    ("MergeStmt", "relation"),
    ("CreateTrigStmt", "relation"),
    ("RuleStmt", "relation"),
    ("CreateSeqStmt", "sequence"),
    ("AlterSeqStmt", "sequence"),
    ("IntoClause", "rel"),
    ("TruncateStmt", "relations"),
    ("RenameStmt", "relation"),
    ("RenameStmt", "object"),
    ("RenameStmt", "subname"),
    ("DropStmt", "objects"),
    ("CommentStmt", "object"),
    ("AlterOwnerStmt", "object"),
    ("AlterObjectSchemaStmt", "relation"),
    ("AlterObjectSchemaStmt", "object"),
    ("AlterObjectSchemaStmt", "newschema"),
    ("CreateFunctionStmt", "funcname"),
    ("AlterFunctionStmt", "func"),
    ("DefineStmt", "defnames"),
    ("CreatePolicyStmt", "table"),
    ("AlterPolicyStmt", "table"),
    ("GrantStmt", "objects"),
    ("CreateDomainStmt", "domainname"),
    ("AlterDomainStmt", "typeName"),
    ("CreateEnumStmt", "typeName"),
    ("AlterEnumStmt", "typeName"),
    ("CompositeTypeStmt", "typevar"),
    ("CreateRangeStmt", "typeName"),
    ("AlterTypeStmt", "typeName"),
    ("CreateSchemaStmt", "schemaname"),
    ("RefreshMatViewStmt", "relation"),
    ("CreateStatsStmt", "relations"),
    ("AlterStatsStmt", "defnames"),
    ("CallStmt", "funccall"),
    ("VacuumRelation", "relation"),
    ("ReindexStmt", "relation"),
    ("ReindexStmt", "name"),
    ("ClusterStmt", "relation"),
    ("LockStmt", "relations"),
    ("AlterDefaultPrivilegesStmt", "options"),
    ("CreateOpClassStmt", "opclassname"),
    ("SecLabelStmt", "object"),
    ("CreateOpFamilyStmt", "opfamilyname"),
    ("AlterOpFamilyStmt", "opfamilyname"),
    ("CreateConversionStmt", "conversion_name"),
    ("AlterTSDictionaryStmt", "dictname"),
    ("AlterTSConfigurationStmt", "cfgname"),
    ("CreateExtensionStmt", "options"),
    ("ImportForeignSchemaStmt", "local_schema"),
    ("CopyStmt", "relation"),
}
"""The attributes of statements that name what is created or changed."""
_CREATING = ("Create", "Define", "View", "Composite", "Into")
_MOVING = frozenset({"setval", "nextval"})


def changes(sql: str, search_path: Path = ()) -> Roles:
    """Return the schemas, `gacl` or `col`, that one statement of a script creates or changes.

    Names without a schema are looked up in the search path; where that leaves a choice, all
    schemas that it may be are returned.
    """
    tree = trees.parse(sql)
    if not tree:
        return frozenset()
    if type(tree[0].stmt).__name__ == "DoStmt":
        return named(sql)
    found: set[str] = set()
    for place in trees.places(tree, bool):
        found.update(_changed(place, search_path))
    return frozenset(found)


def named(sql: str) -> Roles:
    """Return the schemas that a script names anywhere, in bodies and in dynamic SQL too."""
    return frozenset(role for name, role in ROLES.items() if bind(sql, {name: f"{name}!"}) != sql)


def with_changes(sql: str) -> Iterator[tuple[Statement, Roles]]:
    """Yield the statements of a script and what each changes, following its search path."""
    search_path: Path = ()
    for statement in split(sql):
        yield statement, changes(statement.text, search_path)
        search_path = path_after(statement.text, search_path)


def path_after(sql: str, search_path: Path) -> Path:
    """Return the search path that is in force after a statement."""
    if "search_path" not in sql.lower() and "schema" not in sql.lower():
        return search_path
    statement: Any = trees.parse(sql)[0].stmt
    if type(statement).__name__ == "VariableSetStmt" and statement.name == "search_path":
        return tuple(str(value.val.sval) for value in statement.args or ())
    for place in trees.places((statement,), bool):
        if place.constant and hiding.use(place.at) is Use.PATH:
            return loose.listed(place.text)
    return search_path


def _changed(place: Place, search_path: Path) -> Iterable[str]:
    """Return what is changed by the statement that has this string in this place."""
    if place.constant:
        return _moved(place, search_path)
    target = _target(place.at)
    if target is None:
        return ()
    if naming.meaning(place, frozenset(), place.text) is Meaning.SCHEMA:
        return {ROLES[place.text]} if place.text in ROLES else ()
    if not _is_unqualified(place.at):
        return ()
    return _in_path(search_path, created=target.kind.startswith(_CREATING))


def _target(at: Step) -> Step | None:
    """Return the statement whose target a name belongs to."""
    if at.slot in _TARGETS:
        return at
    if at.kind not in ("RangeVar", "ObjectWithArgs", "TypeName", "FuncCall", "DefElem"):
        return None
    if at.slot not in (("RangeVar", "relname"), ("RangeVar", "schemaname"), ("TypeName", "names"),
                       ("ObjectWithArgs", "objname"), ("FuncCall", "funcname"),
                       ("DefElem", "arg")):  # fmt: skip
        return None
    up = at.up
    if up is not None and (up.slot in _TARGETS or _is_called(up)):
        return None if _is_read(up) else up
    return None


def _is_read(at: Step) -> bool:
    return at.kind == "CopyStmt" and not at.node.is_from


def _is_called(at: Step) -> bool:
    """Whether this is an expression that a bare SELECT computes: a call for its effect."""
    outer = at.up
    return (
        at.slot == ("ResTarget", "val")
        and outer is not None
        and outer.slot == ("SelectStmt", "targetList")
        and outer.node.fromClause is None
        and (outer.up is None or outer.up.kind == "RawStmt")
    )


def _moved(place: Place, search_path: Path) -> Iterable[str]:
    """Return the schema of a sequence that is moved."""
    if place.at.slot != ("FuncCall", "args") or place.at.index:
        at = place.at
        if at.kind != "TypeCast" or at.up is None or at.up.slot != ("FuncCall", "args"):
            return ()
        return _moved(Place(place.text, place.owner, at.up, constant=True), search_path)
    if last_name(place.at.node.funcname) not in _MOVING or _target_above(place.at):
        return ()
    schemas = [name for name in ROLES if loose.qualifiers(place.text, {name: name})]
    if schemas:
        return {ROLES[name] for name in schemas}
    return () if "." in place.text else _in_path(search_path, created=False)


def _target_above(at: Step) -> bool:
    """Whether an expression is only kept by a statement, as a default is, and not computed."""
    step: Step | None = at
    while step is not None:
        if step.kind in ("Constraint", "ColumnDef", "CreateFunctionStmt", "AlterTableCmd"):
            return True
        step = step.up
    return False


def _is_unqualified(at: Step) -> bool:
    """Whether a name stands alone, where a schema could stand before it."""
    if at.slot == ("RangeVar", "relname"):
        temporary = at.node.relpersistence == "t"
        return at.node.schemaname is None and not temporary
    if at.kind in ("FuncCall", "DefElem"):
        return False
    kind = naming.object_kind(at)
    if kind in naming.OF_TABLE:
        return at.size == 2 and at.index == 0
    return at.size == 1 and kind not in ("SCHEMA", "EXTENSION", "ROLE", "DATABASE")


def _in_path(search_path: Path, *, created: bool) -> Iterable[str]:
    """Return the schemas in which something without a schema is created, or may be found."""
    if created:
        first = next((name for name in search_path if name not in ("pg_catalog", "$user")), "")
        return {ROLES[first]} if first in ROLES else ()
    return {ROLES[name] for name in search_path if name in ROLES}
