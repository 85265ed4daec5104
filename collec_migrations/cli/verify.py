"""`collec-migrations verify`: what is wrong with a database, and how to repair it."""

from typing import Annotated

import typer

from collec_migrations.bridge import adoption, verification, verification_text
from collec_migrations.bridge.report import Report
from collec_migrations.cli import colours, facts, options, place
from collec_migrations.errors import UsageError


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
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the statements that repair it.")
    ] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Repair it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without a question.")] = False,
) -> None:
    """Compare the database with its version, and tell each difference in one line.

    Exit status: 1 when anything but cosmetic things differs.
    """
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    reports: list[Report] = []
    with place.opened(where) as session:
        session.set_session(readonly=not (repair or sql))
        for names in place.pairs_in(session, where):
            account = role or where.role
            report = verification.verify(session, names, version=version, role=account)
            if repair or sql:
                done = adoption.repaired(session, names, report.version, role=account)
                if sql or not yes:
                    session.rollback()
                    typer.echo(verification_text.script(report, done.statements))
                if repair and not yes:
                    raise UsageError(
                        "nothing was changed", hint="Add --yes to run these statements."
                    )
                if repair and not sql:
                    report = verification.verify(
                        session, names, version=report.version, role=account
                    )
                    session.commit()
            if not as_json and not sql:
                typer.echo(colours.severities(verification_text.text(report, where.options)))
            reports.append(report)
    if as_json:
        facts.write({"schemas": [verification_text.as_json(one) for one in reports]})
    raise typer.Exit(0 if all(one.is_sound for one in reports) else 1)
