"""`collec-migrations diagram`: the chain, or the schema of a version, as Mermaid text."""

from typing import Annotated

import typer

from collec_migrations import versions
from collec_migrations import versions as chain
from collec_migrations.bridge.diagram import chain as chains
from collec_migrations.bridge.diagram import mermaid, tables
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
    around: Annotated[
        str | None, typer.Option("--around", help="Only this table and those that it is tied to.")
    ] = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    as_json: options.Json = False,
) -> None:
    """Draw the chain, or the tables of a version, as Mermaid text."""
    names = Names.parse(gacl=gacl or Names().gacl, col=col or Names().col)
    if version is None:
        if around:
            raise UsageError("--around needs a version", hint="diagram 26.2 --around sample")
        text = mermaid.chain(chains.stops(chain.in_chain()))
    else:
        schema = _schema(version, names)
        text = mermaid.schema(tables.around(schema, around) if around else schema)
    if as_json:
        facts.write({"version": version, "mermaid": text})
    else:
        typer.echo(text, nl=False)


def _schema(version: str, names: Names) -> tables.Schema:
    if version not in versions.VERSIONS:
        raise UnknownVersion(
            f"there is no version {version!r}", hint=f"Known: {', '.join(versions.VERSIONS)}."
        )
    return tables.of(versions.upgraded(version), names)
