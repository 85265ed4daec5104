"""`collec-migrations verify`: what is wrong with a database."""

from typing import Annotated

import typer

from collec_migrations import bridge, versions
from collec_migrations.bridge import report as texts
from collec_migrations.cli import options, place, render


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
    as_json: options.Json = False,
) -> None:
    """Compare the database with its version, and tell each difference in one line.

    Exit status: 1 when anything but cosmetic things differs.
    """
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    with place.opened(where, read_only=True) as session:
        there = None if where.pairs else bridge.find_and_read(session, role=where.role)
        reports = [
            bridge.verify(
                session,
                names,
                version=version,
                role=where.role,
                expected=where.expected,
                found=there,
            )
            for names in (place.pairs_of(there) if there else where.pairs)
        ]
    known = versions.in_chain()
    if as_json:
        render.write_json({"schemas": [texts.report_json(one) for one in reports]})
    else:
        for one in reports:
            text = texts.verified(one, chain=known, options=where.options)
            typer.echo(render.coloured_severities(text))
    raise typer.Exit(0 if all(one.is_sound for one in reports) else 1)
