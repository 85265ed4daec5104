"""`collec-migrations detect`: what a database is."""

import typer

from collec_migrations import bridge, versions
from collec_migrations.bridge import report
from collec_migrations.cli import options, place, render


def detect(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Say what version a database is, without changing anything.

    Exit status: 1 when what is there is no known version, or differs from it.
    """
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    with place.opened(where, read_only=True) as session:
        there = None if where.pairs else bridge.find_and_read(session, role=where.role)
        found = [
            bridge.detect(session, names, expected=where.expected, role=where.role, found=there)
            for names in (place.pairs_of(there) if there else where.pairs)
        ]
    known, repeated = versions.in_chain(), where.options
    if as_json:
        schemas = [report.detection_json(one, chain=known, options=repeated) for one in found]
        render.write_json({"schemas": schemas})
    else:
        texts = [report.detected(one, chain=known, options=repeated) for one in found]
        typer.echo(render.coloured_severities("\n\n".join(texts)))
    raise typer.Exit(0 if all(one.is_sound for one in found) else 1)
