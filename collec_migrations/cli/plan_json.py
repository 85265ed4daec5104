"""A plan as JSON: every fact, also those that the text sums up."""

from dataclasses import asdict
from typing import Any

from collec_migrations.migrate.planned import PairPlan, Plan, PlannedStatement, PlannedStep

Json = dict[str, Any]
"""What `json.dumps` takes: an object with values of any kind."""


def facts(plan: Plan) -> Json:
    """Return all facts of a plan."""
    return {
        "database": plan.database,
        "role": plan.role,
        "server_version": plan.server_version,
        "transaction": "per-version" if plan.settings.per_version else "per-run",
        "nothing_to_do": plan.is_empty,
        "schemas": [_pair(pair) for pair in plan.pairs],
        "obstacles": [
            {"message": item.message, "hint": item.hint, "certain": item.certain}
            for item in plan.obstacles
        ],
    }


def _pair(pair: PairPlan) -> Json:
    return {
        "gacl": pair.names.gacl,
        "col": pair.names.col,
        "recorded": pair.recorded,
        "target": pair.target,
        "rights_version": pair.rights_version,
        "owners": {"gacl": pair.gacl_owner or None, "col": pair.col_owner or None},
        "steps": [_step(step) for step in pair.steps],
        "archived": [
            {
                "table": item.table,
                "column": item.column,
                "rows": item.rows,
            }
            for item in pair.archived
        ],
    }


def _step(step: PlannedStep) -> Json:
    return {
        "version": step.version,
        "kind": step.kind,
        "notes": list(step.notes),
        "scripts": [
            {
                "script": script.script,
                "part": script.part,
                "wrapped": script.wrapped,
                "statements": [_statement(statement) for statement in script.statements],
            }
            for script in step.scripts
        ],
    }


def _statement(statement: PlannedStatement) -> Json:
    locks = statement.locks
    return {
        "line": statement.line,
        "text": statement.text,
        "locks": None if locks is None else [asdict(lock) for lock in locks],
    }
