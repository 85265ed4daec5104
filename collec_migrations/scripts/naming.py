"""Where in a syntax tree an identifier names a schema, and where a role."""

from enum import Enum

from collec_migrations.scripts.trees import Place, Step


class Meaning(Enum):
    """What an identifier stands for."""

    SCHEMA = "schema"
    ROLE = "role"
    OTHER = "other"
    """Certainly neither: a column, an alias, a field."""
    UNKNOWN = "unknown"


_DIRECT = {
    ("RangeVar", "schemaname"): Meaning.SCHEMA,
    ("CreateSchemaStmt", "schemaname"): Meaning.SCHEMA,
    ("AlterObjectSchemaStmt", "newschema"): Meaning.SCHEMA,
    ("ImportForeignSchemaStmt", "local_schema"): Meaning.SCHEMA,
    ("RoleSpec", "rolename"): Meaning.ROLE,
    ("CreateRoleStmt", "role"): Meaning.ROLE,
}

_FIELDS = frozenset({"ColumnRef", "ResTarget", "A_Indirection", "InsertStmt", "UpdateStmt"})
"""Nodes where a name before a dot may be an alias or a column."""

_LISTS = frozenset(
    {
        ("FuncCall", "funcname"),
        ("A_Expr", "name"),
        ("SubLink", "operName"),
        ("SortBy", "useOp"),
        ("IndexElem", "opclass"),
        ("IndexElem", "collation"),
        ("PartitionElem", "opclass"),
        ("PartitionElem", "collation"),
        ("CollateClause", "collname"),
        ("Constraint", "exclusions"),
        ("ObjectWithArgs", "objname"),
        ("RangeTableSample", "method"),
        ("CreateFunctionStmt", "funcname"),
        ("CreateTrigStmt", "funcname"),
        ("CreateEventTrigStmt", "funcname"),
        ("CreatePLangStmt", "plhandler"),
        ("CreatePLangStmt", "plinline"),
        ("CreatePLangStmt", "plvalidator"),
        ("CreateAmStmt", "handler_name"),
        ("DefineStmt", "defnames"),
        ("CreateDomainStmt", "domainname"),
        ("CreateEnumStmt", "typeName"),
        ("CreateRangeStmt", "typeName"),
        ("AlterEnumStmt", "typeName"),
        ("AlterDomainStmt", "typeName"),
        ("AlterTypeStmt", "typeName"),
        ("AlterCollationStmt", "collname"),
        ("CreateConversionStmt", "conversion_name"),
        ("CreateConversionStmt", "func_name"),
        ("CreateStatsStmt", "defnames"),
        ("AlterStatsStmt", "defnames"),
        ("CreateOpClassStmt", "opclassname"),
        ("CreateOpClassStmt", "opfamilyname"),
        ("CreateOpClassItem", "order_family"),
        ("CreateOpFamilyStmt", "opfamilyname"),
        ("AlterOpFamilyStmt", "opfamilyname"),
        ("AlterTSDictionaryStmt", "dictname"),
        ("AlterTSConfigurationStmt", "cfgname"),
        ("AlterTSConfigurationStmt", "dicts"),
    }
)
"""Lists of names of which the last is the object's own and the one before it a schema."""

_OBJECTS = {
    ("CommentStmt", "object"): "objtype",
    ("SecLabelStmt", "object"): "objtype",
    ("DropStmt", "objects"): "removeType",
    ("GrantStmt", "objects"): "objtype",
    ("AlterOwnerStmt", "object"): "objectType",
    ("AlterObjectSchemaStmt", "object"): "objectType",
    ("AlterObjectDependsStmt", "object"): "objectType",
    ("AlterExtensionContentsStmt", "object"): "objtype",
    ("RenameStmt", "object"): "renameType",
    ("RenameStmt", "subname"): "renameType",
    ("RenameStmt", "newname"): "renameType",
}
"""Statements on any object: the attribute that tells which kind of object."""

OF_TABLE = frozenset({"COLUMN", "TABCONSTRAINT", "TRIGGER", "RULE", "POLICY", "ATTRIBUTE"})
"""Objects whose list of names is schema, table, own name."""

_WITH_METHOD = frozenset({"OPCLASS", "OPFAMILY"})
"""Objects whose list of names begins with an access method."""


def meaning(place: Place, shadows: frozenset[str], word: str) -> Meaning:
    """Return what the identifier `word` stands for in its place.

    `shadows` are the variables in scope that a qualified column reference might mean instead.
    """
    at = place.at
    if place.constant:
        return _setting(at)
    if at.slot in _DIRECT:
        return _DIRECT[at.slot]
    if at.slot in _OBJECTS:
        return _object(at)
    if at.kind == "ColumnRef":
        if _before_last(at, 2):
            return Meaning.UNKNOWN if word in shadows else Meaning.SCHEMA
        return Meaning.OTHER
    if at.kind == "TypeName":
        return _schema_if(_before_last(at, 2 if at.node.pct_type else 1))
    if at.slot in _LISTS:
        return _schema_if(_before_last(at, 1))
    return _option(at)


def _schema_if(found: bool) -> Meaning:
    return Meaning.SCHEMA if found else Meaning.OTHER


def _before_last(at: Step, names: int) -> bool:
    """Whether the place in its list is the one before the last so many names."""
    return at.index == at.size - names - 1


def _setting(at: Step) -> Meaning:
    """Return the meaning of a word among the values of SET."""
    if at.kind == "VariableSetStmt" and at.node.name == "search_path":
        return Meaning.SCHEMA
    if at.kind == "VariableSetStmt" and at.node.name in ("role", "session_authorization"):
        return Meaning.ROLE
    return Meaning.OTHER


def object_kind(at: Step) -> str:
    """Return the kind of object that a statement on any kind is about; empty for others."""
    if at.slot not in _OBJECTS:
        return ""
    return str(getattr(at.node, _OBJECTS[at.slot]).name).removeprefix("OBJECT_")


def _object(at: Step) -> Meaning:
    """Return the meaning of a name in a statement on any kind of object."""
    kind = object_kind(at)
    target = getattr(at.node, "targtype", None)
    if kind == "SCHEMA" or (target is not None and target.name == "ACL_TARGET_ALL_IN_SCHEMA"):
        return Meaning.SCHEMA
    if kind == "ROLE":
        return Meaning.ROLE
    if at.attr in ("subname", "newname") or at.size < 2:
        return Meaning.OTHER
    if kind in _WITH_METHOD and at.size < 3:
        return Meaning.OTHER
    return _schema_if(_before_last(at, 2 if kind in OF_TABLE else 1))


def _option(at: Step) -> Meaning:
    """Return the meaning of a name in an option, or in one of the rarer statements."""
    if at.slot == ("DefElem", "arg"):
        name = at.node.defname
        if name in ("schemas", "schema"):
            return Meaning.SCHEMA
        return _schema_if(_before_last(at, 2 if name == "owned_by" else 1))
    if at.slot == ("PublicationObjSpec", "name"):
        return _schema_if("IN_SCHEMA" in at.node.pubobjtype.name)
    if at.slot == ("ReindexStmt", "name"):
        return _schema_if(at.node.kind.name == "REINDEX_OBJECT_SCHEMA")
    if at.slot == ("AccessPriv", "priv_name") and at.up and at.up.kind == "GrantRoleStmt":
        return Meaning.ROLE
    return Meaning.OTHER if at.kind in _FIELDS else Meaning.UNKNOWN
