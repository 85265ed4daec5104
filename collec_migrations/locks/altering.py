"""ALTER TABLE: the lock of each subcommand, and whether it rewrites or scans the table.

PostgreSQL manual, ALTER TABLE, Notes; the exact modes are those of AlterTableGetLockLevel.
"""

from typing import Any

from pglast import ast

from collec_migrations.locks import columns, keys, nodes
from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import Relation

GENTLE = frozenset(
    {
        "AT_SetStatistics",
        "AT_SetOptions",
        "AT_ResetOptions",
        "AT_ClusterOn",
        "AT_DropCluster",
        "AT_ValidateConstraint",
    }
)
TRIGGERS = frozenset(
    f"AT_{verb}Trig{what}"
    for verb in ("Enable", "Disable", "EnableAlways", "EnableReplica")
    for what in ("", "All", "User")
)
PARTITIONS = frozenset({"AT_AttachPartition"})
REWRITING = frozenset({"AT_SetLogged", "AT_SetUnLogged", "AT_SetAccessMethod", "AT_SetTableSpace"})
EXCLUSIVE_OPTIONS = frozenset({"user_catalog_table", "check_option", "security_barrier"})
INDEXED = frozenset({"CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"})
KINDS = {
    "OBJECT_TABLE": (),
    "OBJECT_VIEW": ("view",),
    "OBJECT_MATVIEW": ("materialized view",),
    "OBJECT_SEQUENCE": ("sequence",),
    "OBJECT_FOREIGN_TABLE": ("foreign table",),
    "OBJECT_INDEX": ("index",),
}


def alter(walk: Walk, statement: Any) -> None:
    """Note what ALTER TABLE (VIEW, SEQUENCE, INDEX) does."""
    target = statement.relation
    kinds = KINDS.get(statement.objtype.name, ())
    for relation in walk.named(target.schemaname, target.relname, kinds):
        commands = statement.cmds or ()
        level = max(mode(walk.world.version, command) for command in commands)
        walk.change(relation, level)
        for command in commands:
            _apply(walk, relation, command, level)


def mode(version: int, command: Any) -> Mode:
    """Return the mode in which a subcommand locks its table."""
    kind = command.subtype.name
    if kind in GENTLE:
        return Mode.SHARE_UPDATE_EXCLUSIVE
    if kind in PARTITIONS and version >= 120000:
        return Mode.SHARE_UPDATE_EXCLUSIVE
    if kind in ("AT_SetRelOptions", "AT_ResetRelOptions") and version >= 90600:
        hard = any(option.defname in EXCLUSIVE_OPTIONS for option in command.def_ or ())
        return Mode.ACCESS_EXCLUSIVE if hard else Mode.SHARE_UPDATE_EXCLUSIVE
    if kind in TRIGGERS and version >= 90500:
        return Mode.SHARE_ROW_EXCLUSIVE
    if kind == "AT_AddConstraint" and command.def_.contype.name == "CONSTR_FOREIGN":
        return keys.mode(version)
    return Mode.ACCESS_EXCLUSIVE


def _apply(walk: Walk, relation: Relation, command: Any, level: Mode) -> None:
    kind = command.subtype.name
    if kind in REWRITING:
        walk.lock(relation, level, rewrites=True)
    elif kind == "AT_AddColumn":
        columns.add(walk, relation, command.def_)
    elif kind == "AT_DropColumn":
        cascade = command.behavior.name == "DROP_CASCADE"
        columns.drop(walk, relation, command.name, cascade=cascade)
    elif kind == "AT_AlterColumnType":
        columns.retype(walk, relation, command.name, command.def_)
    elif kind == "AT_SetNotNull":
        walk.lock(relation, level, scans=True)
    elif kind == "AT_ColumnDefault":
        columns.follow_default(walk, relation, command.name, command.def_)
    elif kind == "AT_AddConstraint":
        _constrain(walk, relation, command.def_, level)
    elif kind == "AT_DropConstraint":
        keys.drop_named(walk, relation, command.name)
    elif kind == "AT_ValidateConstraint":
        walk.lock(relation, level, scans=True)
        keys.validate(walk, relation, command.name)
    elif kind == "AT_ChangeOwner":
        _own(walk, relation, command.newowner)
    elif kind in ("AT_AddInherit", "AT_DropInherit", "AT_AttachPartition", "AT_DetachPartition"):
        _relatives(walk, command.def_)


def _constrain(walk: Walk, relation: Relation, constraint: Any, level: Mode) -> None:
    kind = constraint.contype.name
    if kind == "CONSTR_FOREIGN":
        checked = not constraint.skip_validation
        walk.lock(relation, level, scans=checked)
        keys.add(walk, relation, constraint, keys.own_columns(constraint))
    elif kind in INDEXED:
        walk.lock(relation, level, scans=constraint.indexname is None)
    elif kind in ("CONSTR_CHECK", "CONSTR_NOTNULL"):
        walk.lock(relation, level, scans=not constraint.skip_validation)


def _own(walk: Walk, relation: Relation, owner: Any) -> None:
    """Note the sequences that go along with their table to a new owner."""
    for sequence in walk.world.sequences_of(relation):
        walk.lock(sequence, Mode.ACCESS_EXCLUSIVE)
    if walk.certain and owner.rolename:
        relation.owner = owner.rolename


def _relatives(walk: Walk, named: Any) -> None:
    other = named.name if nodes.is_a(named, ast.PartitionCmd) else named
    for relation in walk.named(other.schemaname, other.relname):
        walk.lock(relation, Mode.ACCESS_EXCLUSIVE, scans=nodes.is_a(named, ast.PartitionCmd))
