"""`collec-migrations verify`: what is wrong with a database, and how to repair it."""

from typing import Annotated

import typer

from collec_migrations import bridge, versions
from collec_migrations.bridge import report as texts
from collec_migrations.cli import options, place, render
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
    yes: options.Yes = False,
) -> None:
    """Compare the database with its version, and tell each difference in one line.

    Exit status: 1 when anything but cosmetic things differs.
    """
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    account = role or where.role
    reports: list[bridge.Report] = []
    with place.opened(where, read_only=not (repair or sql)) as session:
        there = None if where.pairs else bridge.find_and_read(session, role=account)
        for names in place.pairs_of(there) if there else where.pairs:
            found = bridge.verify(
                session, names, version=version, role=account, expected=where.expected, found=there
            )
            if repair or sql:
                done = bridge.repair(session, names, found.version, role=account)
                if sql or not yes:
                    session.rollback()
                    typer.echo(texts.script(found, done.statements))
                if repair and not yes:
                    raise UsageError(
                        "nothing was changed", hint="Add --yes to run these statements."
                    )
                if repair and not sql:
                    found = bridge.verify(
                        session, names, version=found.version, role=account,
                        expected=where.expected,
                    )  # fmt: skip
                    session.commit()
            if not as_json and not sql:
                known = versions.in_chain()
                text = texts.verified(found, chain=known, options=where.options, repaired=repair)
                typer.echo(render.coloured_severities(text))
            reports.append(found)
    if as_json:
        render.write_json({"schemas": [texts.report_json(one) for one in reports]})
    raise typer.Exit(0 if all(one.is_sound for one in reports) else 1)
