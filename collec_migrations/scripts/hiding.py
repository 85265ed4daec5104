"""Where in a syntax tree a string constant holds the name of a schema, or SQL."""

from enum import Enum
from typing import Any

from collec_migrations.scripts.trees import NOWHERE, Step


class Use(Enum):
    """What a string constant is for."""

    NAME = "the name of a schema, as it is stored in the catalog"
    PATTERN = "a pattern for LIKE"
    IDENTIFIER = "one identifier, quoted as in SQL"
    QUALIFIED = "identifiers joined by dots, quoted as in SQL"
    PATH = "a list of identifiers, quoted as in SQL"
    ROLE = "the name of a role, as it is stored in the catalog"
    ROLE_IDENTIFIER = "the name of a role, quoted as in SQL"
    BODY = "the body of a function or of DO"
    SETTING = "a value of SET search_path"
    QUERY = "a query that a function runs"
    DATA = "data"
    UNKNOWN = "unknown"


REG_TYPES = {
    "regclass": Use.QUALIFIED,
    "regtype": Use.QUALIFIED,
    "regproc": Use.QUALIFIED,
    "regprocedure": Use.QUALIFIED,
    "regoper": Use.QUALIFIED,
    "regoperator": Use.QUALIFIED,
    "regcollation": Use.QUALIFIED,
    "regconfig": Use.QUALIFIED,
    "regdictionary": Use.QUALIFIED,
    "regnamespace": Use.IDENTIFIER,
    "regrole": Use.ROLE_IDENTIFIER,
}
TEXT_TYPES = frozenset({"text", "varchar", "bpchar", "name", "unknown", "sql_identifier"})
SCHEMA_COLUMNS = frozenset({
    "schemaname", "nspname", "schema_name", "table_schema", "constraint_schema",
    "unique_constraint_schema", "view_schema", "sequence_schema", "routine_schema",
    "specific_schema", "trigger_schema", "udt_schema", "domain_schema", "event_object_schema",
    "action_reference_schema", "object_schema", "collation_schema", "character_set_schema",
    "user_defined_type_schema", "foreign_table_schema", "type_schema", "parameter_schema",
})  # fmt: skip
_FIRST_QUALIFIED = frozenset({
    "nextval", "currval", "setval", "to_regclass", "to_regtype", "to_regproc",
    "to_regprocedure", "to_regoper", "to_regoperator", "to_regcollation",
    "pg_get_serial_sequence", "pg_relation_size", "pg_table_size", "pg_total_relation_size",
    "pg_indexes_size", "pg_relation_filepath", "pg_relation_filenode", "pg_get_viewdef",
    "pg_sequence_last_value", "row_security_active", "table_to_xml", "table_to_xmlschema",
    "table_to_xml_and_xmlschema", "pg_prewarm", "populate_geometry_columns",
})  # fmt: skip
_FIRST_NAME = frozenset({"schema_to_xml", "schema_to_xmlschema", "schema_to_xml_and_xmlschema"})
_CONFIGURED = frozenset({"to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery"})
"""Functions of text search, which begin with a configuration when they have two arguments."""
_QUERIES = frozenset(
    {"query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat"}
)
_PRIVILEGES = {
    "has_schema_privilege": (2, Use.NAME),
    "has_table_privilege": (2, Use.QUALIFIED),
    "has_sequence_privilege": (2, Use.QUALIFIED),
    "has_any_column_privilege": (2, Use.QUALIFIED),
    "has_function_privilege": (2, Use.QUALIFIED),
    "has_type_privilege": (2, Use.QUALIFIED),
    "has_column_privilege": (3, Use.QUALIFIED),
}
"""Functions whose argument so many from the end names the object."""
_GEOMETRY = {
    "addgeometrycolumn": 6,
    "dropgeometrycolumn": 3,
    "dropgeometrytable": 2,
    "updategeometrysrid": 4,
    "find_srid": 3,
}
"""Functions of PostGIS that begin with a schema when they have so many arguments."""
_STORED = frozenset(
    {
        ("Constraint", "raw_expr"),
        ("ColumnDef", "raw_default"),
        ("PartitionBoundSpec", "listdatums"),
        ("PartitionBoundSpec", "lowerdatums"),
        ("PartitionBoundSpec", "upperdatums"),
    }
)
"""Where a constant is a value of a column."""
_EQUALITIES = frozenset({"=", "<>"})
_LIKES = frozenset({"~~", "!~~", "~~*", "!~~*"})


def last_name(names: Any) -> str:
    """Return the last of a list of `String`; empty for anything else."""
    return str(getattr(names[-1], "sval", "")) if names else ""


def constant(node: Any) -> Any:
    """Return the `String` of a string constant, casts to text looked through; None for others."""
    if type(node).__name__ == "TypeCast" and last_name(node.typeName.names) in TEXT_TYPES:
        return constant(node.arg)
    if type(node).__name__ == "A_Const" and type(node.val).__name__ == "String":
        return node.val
    return None


def is_text_cast(at: Step) -> bool:
    """Whether this is a cast that leaves a text as it is."""
    if at.kind != "TypeCast" or at.node.typeName.arrayBounds:
        return False
    return last_name(at.node.typeName.names) in TEXT_TYPES


def use(at: Step) -> Use:
    """Return what a constant at this place is for."""
    while is_text_cast(at):
        at = at.up or NOWHERE
    if at.kind == "TypeCast" and not at.node.typeName.arrayBounds:
        return REG_TYPES.get(last_name(at.node.typeName.names), Use.DATA)
    if at.slot == ("FuncCall", "args"):
        return _argument(at)
    if at.slot == ("VariableSetStmt", "args"):
        return _setting(at)
    if _is_stored(at):
        return Use.DATA
    return _compared(at)


def _setting(at: Step) -> Use:
    if at.node.name == "search_path":
        return Use.SETTING
    return Use.ROLE if at.node.name in ("role", "session_authorization") else Use.DATA


def _argument(at: Step) -> Use:
    """Return what an argument of a function is for."""
    name = last_name(at.node.funcname)
    if name in _PRIVILEGES:
        place, kind = _PRIVILEGES[name]
        if at.size - place == at.index:
            return kind
        return Use.ROLE if at.index == 0 else Use.DATA
    if name == "set_config" and at.index == 1:
        return Use.PATH if last_name((constant(at.node.args[0]),)) == "search_path" else Use.DATA
    if at.index:
        return Use.DATA if name in _FIRST_QUALIFIED | _CONFIGURED else Use.UNKNOWN
    if name in _FIRST_QUALIFIED:
        return Use.QUALIFIED
    if name in _CONFIGURED:
        return Use.QUALIFIED if at.size == 2 else Use.DATA
    if name in _FIRST_NAME or _GEOMETRY.get(name, 99) <= at.size:
        return Use.NAME
    if name in _QUERIES:
        return Use.QUERY
    return {"to_regnamespace": Use.IDENTIFIER, "to_regrole": Use.ROLE_IDENTIFIER}.get(
        name, Use.UNKNOWN
    )


def _is_stored(at: Step) -> bool:
    """Whether a constant at this place is a value to be kept in a table."""
    if at.slot == ("SelectStmt", "valuesLists"):
        return at.up is not None and at.up.kind == "InsertStmt"
    if at.slot in _STORED:
        return True
    if at.slot != ("ResTarget", "val") or at.up is None:
        return False
    if at.up.slot[1] == "targetList" and at.up.kind in ("UpdateStmt", "OnConflictClause"):
        return True
    outer = at.up.up
    return at.up.slot == ("SelectStmt", "targetList") and bool(outer and outer.kind == "InsertStmt")


def _compared(at: Step) -> Use:
    """Return what a constant is for that is compared with something, if it is."""
    if at.kind == "A_ArrayExpr" and at.up and at.up.kind == "A_Expr":
        return _with_other_side(at.up)
    if at.slot == ("CaseWhen", "expr") and at.up and at.up.node.arg is not None:
        return _for_column(at.up.node.arg, Use.NAME)
    if at.kind == "RowExpr" and at.up and at.up.kind == "A_Expr":
        other = _other_side(at.up)
        if type(other).__name__ == "RowExpr" and len(other.args) == at.size:
            return _for_column(other.args[at.index], Use.NAME)
        return Use.UNKNOWN
    return _with_other_side(at) if at.kind == "A_Expr" else Use.UNKNOWN


def _other_side(at: Step) -> Any:
    return at.node.rexpr if at.attr == "lexpr" else at.node.lexpr


def _with_other_side(at: Step) -> Use:
    operator = last_name(at.node.name)
    if operator in _EQUALITIES:
        return _for_column(_other_side(at), Use.NAME)
    if operator in _LIKES and at.attr == "rexpr":
        return _for_column(_other_side(at), Use.PATTERN)
    return Use.UNKNOWN


def _for_column(node: Any, found: Use) -> Use:
    """Return `found` for what holds names of schemas, data for a plain column."""
    kind = type(node).__name__
    if kind == "TypeCast" and last_name(node.typeName.names) in TEXT_TYPES:
        return _for_column(node.arg, found)
    if kind == "SQLValueFunction":
        return found if node.op.name == "SVFOP_CURRENT_SCHEMA" else Use.DATA
    if kind == "FuncCall":
        name = last_name(node.funcname)
        return found if name in ("current_schema", "current_schemas") else Use.UNKNOWN
    if kind != "ColumnRef":
        return Use.UNKNOWN
    return found if last_name(node.fields) in SCHEMA_COLUMNS else Use.DATA
