"""`collec-migrations diagram`: the chain, or the schema of a version, as text or as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import versions
from collec_migrations import versions as chain
from collec_migrations.bridge.diagram import chain as chains
from collec_migrations.bridge.diagram import layout, mermaid, svg, tables
from collec_migrations.cli import facts, options
from collec_migrations.errors import UnknownVersion, UsageError
from collec_migrations.names import Names


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
        stops = chains.stops(chain.in_chain())
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
    if version not in versions.VERSIONS:
        raise UnknownVersion(
            f"there is no version {version!r}", hint=f"Known: {', '.join(versions.VERSIONS)}."
        )
    return tables.of(versions.upgraded(version), names)


def _write(picture: Path, drawn: str) -> None:
    try:
        picture.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{picture} cannot be written: {error.strerror}") from error
    options.say(f"written to {picture}")
