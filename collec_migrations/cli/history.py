"""`collec-migrations history`: what was done to each schema, and when, by whom."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from collec_migrations.cli import options, render

if TYPE_CHECKING:
    from collec_migrations.bridge import history as recorded

COLUMNS = ("version", "kind", "script", "started", "duration", "by", "client", "tool", "note")


def history(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Show the history of each schema: one line for each version applied, adopted or left."""
    from collec_migrations.migrate import verbs

    found = verbs.history(options.given(url=url, gacl=gacl, col=col, app=app), say=options.say)
    if as_json:
        schemas = [
            {"schema": name, "rows": [_facts(row) for row in rows]} for name, rows in found.items()
        ]
        render.write_json({"schemas": schemas})
        return
    for schema, rows in found.items():
        typer.echo(f"{schema}: no history" if not rows else f"{schema}:")
        for line in table(rows):
            typer.echo(f"  {line}")


def table(rows: "Sequence[recorded.Row]") -> tuple[str, ...]:
    """Return rows as aligned lines under their titles; nothing for none."""
    if not rows:
        return ()
    cells = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(COLUMNS))]
    return tuple(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _cells(row: "recorded.Row") -> tuple[str, ...]:
    return (
        row.version or "nothing",
        row.kind,
        row.script,
        row.started.strftime("%Y-%m-%d %H:%M:%S") if row.started else "",
        f"{row.duration.total_seconds():.1f} s",
        row.database_user,
        row.client,
        row.tool_version,
        row.note,
    )


def _facts(row: "recorded.Row") -> dict[str, Any]:
    return {
        "version": row.version,
        "kind": row.kind,
        "script": row.script,
        "checksum": row.checksum,
        "started": row.started.isoformat() if row.started else None,
        "seconds": row.duration.total_seconds(),
        "database_user": row.database_user,
        "client": row.client,
        "tool_version": row.tool_version,
        "note": row.note,
    }
