"""The chain and a schema as Mermaid text (mermaid.js.org), which forges and editors draw. Pure."""

import re
from collections.abc import Iterator, Sequence

from collec_migrations.bridge.diagram.chain import Stop
from collec_migrations.bridge.diagram.tables import Schema

QUOTE = '"'
_NOT_IN_A_TYPE = re.compile(r"[^\w\[\]]+")


def chain(stops: Sequence[Stop]) -> str:
    """Return a flow chart: boxes for versions of the chain, rounded ones for later versions."""
    return "\n".join(("flowchart TB", *_chain(stops))) + "\n"


def _chain(stops: Sequence[Stop]) -> Iterator[str]:
    for number, stop in enumerate(stops):
        text = f'"{stop.version}<br/>{stop.tables} tables"'
        yield f"  v{number}[{text}]" if stop.in_chain else f"  v{number}({text}):::wrapped"
    for number, stop in enumerate(stops[1:], 1):
        change = f'|"{"<br/>".join(stop.changes)}"|' if stop.changes else ""
        arrow = "-->" if stop.in_chain else "-.->"
        yield f"  v{number - 1} {arrow}{change} v{number}"
    yield "  classDef wrapped stroke-dasharray: 4 3"


def schema(found: Schema) -> str:
    """Return a diagram of tables and links."""
    return "\n".join(("erDiagram", *_tables(found), *_links(found))) + "\n"


def _tables(found: Schema) -> Iterator[str]:
    for table in found.tables:
        # A double quote would end the text.
        yield f'  {_id(table.key)}["{table.shown.replace(QUOTE, "#quot;")}"] {{'
        for column in table.columns:
            words = (_NOT_IN_A_TYPE.sub("_", column.type), column.name, column.keys)
            yield f"    {' '.join(filter(None, words))}"
        yield "  }"


def _links(found: Schema) -> Iterator[str]:
    for link in found.links:
        one = "||" if link.required else "|o"
        yield f"  {_id(link.parent)} {one}--o{{ {_id(link.child)} : {link.column}"


def _id(key: tuple[str, str]) -> str:
    return "_".join(key)
