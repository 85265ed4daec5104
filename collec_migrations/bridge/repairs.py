"""Mend a database: read what mending needs, plan, run; the caller commits."""

import psycopg2
from psycopg2 import extensions

from collec_migrations.bridge import repair_plan, row_checks, view_queries
from collec_migrations.bridge.difference import State
from collec_migrations.bridge.report import Report
from collec_migrations.errors import StatementFailed


def plan(connection: extensions.connection, report: Report) -> repair_plan.Mending:
    """Return the statements that mend what the report tells, and what they leave."""
    tables = [
        (one.role, one.name.split(".", 1)[0])
        for one in report.differences
        if one.kind == "column" and one.state is State.MISSING
    ]
    readable = [table for table in tables if report.owners.may_read(table[0], "table", table[1])]
    situation = repair_plan.Situation(
        names=report.names,
        version=report.version,
        owner=report.owners.majority,
        path=tuple(schema for _, schema in report.owners.extensions if schema != "pg_catalog"),
        occupied=row_checks.read_occupied(connection, report.names, readable),
        views=view_queries.queries(report.version),
    )
    return repair_plan.plan(report.differences, situation)


def run(connection: extensions.connection, planned: repair_plan.Mending) -> None:
    """Run the statements in the current transaction; raise `StatementFailed` at the first that
    is refused, with nothing kept once the caller rolls back."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        for statement in planned.statements:
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                detail = str(error).strip().splitlines()[0]
                raise StatementFailed(
                    f"cannot mend: {detail}",
                    hint=f"The statement was: {statement.splitlines()[0]} Nothing was changed.",
                ) from None
