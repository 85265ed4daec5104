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
    COMPARED = "data in a comparison"
    MENTION = "text that is compared with names of schemas in an unknown way"
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
    "f_table_schema", "r_table_schema", "tg_table_schema",
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
_ANY_SCHEMA = "schema"
"""What the name of a column or a variable holds that may hold the name of a schema."""
_EQUALITIES = frozenset({"=", "<>"})
_LIKES = frozenset({"~~", "!~~", "~~*", "!~~*"})


def last_name(names: Any) -> str:
    """Return the last of a list of `String`; empty for anything else."""
    return str(getattr(names[-1], "sval", "")) if names else ""


def constant(node: Any) -> Any:
    """Return the `String` of a string constant, casts to text looked through; None for others."""
    if casts_to_text(node):
        return constant(node.arg)
    if type(node).__name__ == "A_Const" and type(node.val).__name__ == "String":
        return node.val
    return None


def casts_to_text(node: Any) -> bool:
    """Whether this is a cast that leaves a text as it is."""
    if type(node).__name__ != "TypeCast" or node.typeName.arrayBounds:
        return False
    return last_name(node.typeName.names) in TEXT_TYPES


def use(at: Step, variables: frozenset[str] = frozenset()) -> Use:
    """Return what a constant at this place is for, in the scope of these variables."""
    while casts_to_text(at.node):
        at = at.up or NOWHERE
    if at.kind == "TypeCast" and not at.node.typeName.arrayBounds:
        return REG_TYPES.get(last_name(at.node.typeName.names), Use.DATA)
    if at.slot == ("FuncCall", "args"):
        return _argument(at)
    if at.slot == ("VariableSetStmt", "args"):
        return _setting(at)
    column = _stored_in(at)
    if column is not None:
        return Use.UNKNOWN if _ANY_SCHEMA in column or column == "nspname" else Use.DATA
    return _compared(at, variables)


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


def _stored_in(at: Step) -> str | None:
    """Return the column that a constant is written to, "" for an unnamed one, None for none."""
    if at.slot in _STORED:
        return ""
    if at.slot == ("SelectStmt", "valuesLists"):
        return _inserted(at.up, at.index)
    if at.slot != ("ResTarget", "val") or at.up is None:
        return None
    if at.up.slot[1] == "targetList" and at.up.kind in ("UpdateStmt", "OnConflictClause"):
        return str(at.node.name)
    return _inserted(at.up.up, at.up.index) if at.up.kind == "SelectStmt" else None


def _inserted(statement: Step | None, index: int) -> str | None:
    """Return the column that INSERT fills with the value of this index."""
    if statement is None or statement.kind != "InsertStmt":
        return None
    columns = statement.node.cols or ()
    return str(columns[index].name) if index < len(columns) else ""


def _compared(at: Step, variables: frozenset[str]) -> Use:
    """Return what a constant is for that is compared with something, if it is."""
    if at.kind == "A_ArrayExpr" and at.up and at.up.kind == "A_Expr":
        return _with_other_side(at.up, variables)
    if at.slot == ("CaseWhen", "expr") and at.up and at.up.node.arg is not None:
        return _for_column(at.up.node.arg, Use.NAME, variables)
    if at.kind == "RowExpr" and at.up and at.up.kind == "A_Expr":
        other = _other_side(at.up)
        if type(other).__name__ == "RowExpr" and len(other.args) == at.size:
            return _for_column(other.args[at.index], Use.NAME, variables)
        return Use.UNKNOWN
    return _with_other_side(at, variables) if at.kind == "A_Expr" else Use.UNKNOWN


def _other_side(at: Step) -> Any:
    return at.node.rexpr if at.attr == "lexpr" else at.node.lexpr


def _with_other_side(at: Step, variables: frozenset[str]) -> Use:
    operator = last_name(at.node.name)
    found = Use.MENTION
    if operator in _EQUALITIES:
        found = Use.NAME
    elif operator in _LIKES and at.attr == "rexpr":
        found = Use.PATTERN
    return _for_column(_other_side(at), found, variables)


def _for_column(node: Any, found: Use, variables: frozenset[str]) -> Use:
    """Return `found` for what holds names of schemas, data for a plain column."""
    kind = type(node).__name__
    if casts_to_text(node):
        return _for_column(node.arg, found, variables)
    if kind == "SQLValueFunction":
        return found if node.op.name == "SVFOP_CURRENT_SCHEMA" else Use.DATA
    if kind == "FuncCall":
        name = last_name(node.funcname)
        return found if name in ("current_schema", "current_schemas") else Use.UNKNOWN
    if kind != "ColumnRef":
        return Use.UNKNOWN
    column = last_name(node.fields)
    if column in SCHEMA_COLUMNS:
        return found
    unsure = _ANY_SCHEMA in column or (len(node.fields) == 1 and column in variables)
    return Use.UNKNOWN if unsure else Use.COMPARED
