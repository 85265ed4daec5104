"""`collec-migrations archive`: what steps removed from the schemas, and kept."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from collec_migrations import access
from collec_migrations.archives import dropping, reading
from collec_migrations.archives.archive import Archive
from collec_migrations.cli import options, session, table
from collec_migrations.database import locking
from collec_migrations.errors import UsageError

app = typer.Typer(help="List, show or drop what steps removed and kept.", no_args_is_help=True)
TITLES = ("schema", "table", "rows", "size", "step", "when", "from")


@app.command("list")
def list_archives(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    as_json: options.Json = False,
) -> None:
    """List the archive tables: which step made them, when, from which table."""
    told = access.told(options.given(url=url, gacl=gacl, col=col))
    with session.connected(told) as connection, connection.cursor() as cursor:
        found = reading.find(cursor, told.pairs)
    if as_json:
        typer.echo(json.dumps([_facts(one) for one in found], indent=1, ensure_ascii=False))
    else:
        _tell(found)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="An archive table, perhaps with its schema.")],
    rows: Annotated[int, typer.Option(min=0, help="How many rows.")] = 20,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    as_json: options.Json = False,
) -> None:
    """Show the first rows of an archive."""
    told = access.told(options.given(url=url, gacl=gacl, col=col))
    with session.connected(told) as connection, connection.cursor() as cursor:
        archive = reading.named(reading.find(cursor, told.pairs), name)
        found = reading.first_rows(cursor, archive, rows)
    if as_json:
        typer.echo(f"[{','.join(f'{chr(10)} {text}' for text in found.documents)}\n]")
        return
    texts = [["" if text is None else text for text in row] for row in found.rows]
    for line in table.lines(found.columns, texts):
        typer.echo(line)
    if archive.rows > len(found.rows):
        session.say(f"{len(found.rows)} of {archive.rows} rows; --rows N shows more")


@app.command()
def drop(
    names: Annotated[list[str] | None, typer.Argument(help="Archive tables to drop.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Drop all archives.")] = False,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    yes: options.Yes = False,
) -> None:
    """Drop archives for ever, all that are named or none; ask first."""
    if bool(names) == every:
        raise UsageError(
            "name the archives to drop, or give --all",
            hint="`collec-migrations archive list` shows them.",
        )
    told = access.told(options.given(url=url, gacl=gacl, col=col))
    with (
        session.connected(told) as connection,
        locking.held(connection, wait=told.lock_wait, say=session.say),
        connection.cursor() as cursor,
    ):
        found = reading.find(cursor, told.pairs)
        chosen = found if every else _chosen(found, names or [])
        if not chosen:
            _tell(chosen)
            return
        # The question is asked outside of any transaction: nobody waits for the answer.
        connection.rollback()
        _ask(chosen, yes=yes)
        emptied = dropping.drop(cursor, chosen)
        connection.commit()
    session.say(f"dropped {len(chosen)} archive tables")
    for schema in emptied:
        session.say(f"dropped the schema {schema!r}, in which nothing was left")


def _chosen(found: Sequence[Archive], names: Sequence[str]) -> tuple[Archive, ...]:
    return tuple(dict.fromkeys(reading.named(found, name) for name in names))


def _ask(chosen: Sequence[Archive], *, yes: bool) -> None:
    """Show what is to be dropped; go on only when that is what the user wants."""
    _tell(chosen)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here", hint="Give --yes to drop these archives.")
    if not typer.confirm("Drop these tables for ever?"):
        session.say("nothing was dropped")
        raise typer.Exit(1)


def _tell(found: Sequence[Archive]) -> None:
    if not found:
        session.say("there are no archives")
        return
    for line in table.lines(TITLES, [_cells(one) for one in found]):
        typer.echo(line)


def _cells(one: Archive) -> tuple[str, ...]:
    when = one.origin.when.strftime("%Y-%m-%d %H:%M")
    size = f"{one.size / 1024:,.0f} kB"
    return (one.schema, one.table, str(one.rows), size, one.origin.step, when, one.origin.source)


def _facts(one: Archive) -> dict[str, Any]:
    return {
        "schema": one.schema,
        "table": one.table,
        "rows": one.rows,
        "bytes": one.size,
        "step": one.origin.step,
        "when": one.origin.when.isoformat(),
        "from": one.origin.source,
    }
