"""`collec-migrations diagram`: the chain, or the schema of a version, as text or as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import releases
from collec_migrations.cli import facts, options
from collec_migrations.diagram import chain as chains
from collec_migrations.diagram import layout, mermaid, svg, tables
from collec_migrations.errors import UnknownVersion, UsageError
from collec_migrations.names import Names
from collec_migrations.releases import chain


def diagram(
    version: Annotated[
        str | None,
        typer.Argument(
            help="Draw the tables of this version; left out: the chain.",
            autocompletion=options.known_versions,
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--svg", help="Write an SVG picture to this file instead.")
    ] = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    as_json: options.Json = False,
) -> None:
    """Draw the chain, or the tables of a version: Mermaid text or SVG."""
    names = Names.parse(gacl=gacl or Names().gacl, col=col or Names().col)
    if version is None:
        stops = chains.stops(chain.versions())
        text = mermaid.chain(stops)
        drawn = svg.chain(stops, "The versions of Collec-Science databases") if picture else ""
    else:
        schema = _schema(version, names)
        text = mermaid.schema(schema)
        title = f"Collec-Science {version}"
        drawn = svg.schema(layout.arrange(schema), title) if picture else ""
    if picture:
        _write(picture, drawn)
    if as_json:
        facts.write({"version": version, "mermaid": text, "svg": picture})
    elif not picture:
        typer.echo(text, nl=False)


def _schema(version: str, names: Names) -> tables.Schema:
    if version not in releases.VERSIONS:
        raise UnknownVersion(
            f"there is no version {version!r}", hint=f"Known: {', '.join(releases.VERSIONS)}."
        )
    return tables.of(releases.upgraded(version), names)


def _write(picture: Path, drawn: str) -> None:
    try:
        picture.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{picture} cannot be written: {error.strerror}") from error
    options.say(f"written to {picture}")
