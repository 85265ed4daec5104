"""`collec-migrations verify`: what is wrong with a database, and how to mend it."""

from typing import Annotated

import typer

from collec_migrations.bridge import repairs, verification, verification_text
from collec_migrations.bridge.report import Report
from collec_migrations.cli import colours, facts, options, place
from collec_migrations.errors import UsageError
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection


def verify(
    version: Annotated[
        str,
        typer.Argument(
            help="Compare with this version instead of the one Alembic says.",
            autocompletion=options.known_versions,
        ),
    ] = "",
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    role: Annotated[str, typer.Option("--role", help="The application's database account.")] = "",
    as_json: options.Json = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the statements that mend.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without a question.")] = False,
) -> None:
    """Compare the database with its version, and tell each difference in one line.

    Exit status: 1 when anything but cosmetic things differs.
    """
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    reports: list[Report] = []
    with place.opened(where) as session:
        session.set_session(readonly=not repair)
        for names in place.pairs_in(session, where):
            report = verification.verify(session, names, version=version, role=role or where.role)
            if repair:
                report = _repaired(session, report, names, yes=yes)
            if not as_json:
                typer.echo(_shown(session, report, where.options, sql=sql))
            reports.append(report)
    if as_json:
        facts.write({"schemas": [verification_text.as_json(one) for one in reports]})
    raise typer.Exit(0 if all(one.is_sound for one in reports) else 1)


def _repaired(session: Connection, report: Report, names: Names, *, yes: bool) -> Report:
    """Mend in one transaction, and return what is left."""
    planned = repairs.plan(session, report)
    if not yes:
        typer.echo(verification_text.script(report, planned))
        raise UsageError("nothing was changed", hint="Add --yes to run these statements.")
    repairs.run(session, planned)
    left = verification.verify(session, names, version=report.version)
    session.commit()
    return left


def _shown(session: Connection, report: Report, repeated: str, *, sql: bool) -> str:
    if sql:
        return verification_text.script(report, repairs.plan(session, report))
    return colours.severities(verification_text.text(report, repeated))
