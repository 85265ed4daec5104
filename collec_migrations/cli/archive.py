"""`collec-migrations archive`: what steps removed from the schemas, and kept."""

from collections.abc import Sequence
from typing import Annotated

import typer

from collec_migrations.cli import options, place, render
from collec_migrations.cli.group import group
from collec_migrations.errors import UsageError
from collec_migrations.migrate import access, archive_registry
from collec_migrations.migrate.archive_registry import Archive
from collec_migrations.postgres import locks

app = group("List or drop what steps removed and kept.")
TITLES = ("schema", "table", "kind", "rows", "size", "step", "when", "from")


@app.command("list")
def list_archives(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """List the archive tables: which step made them, when, from which table."""
    told = access.told(options.given(url=url, gacl=gacl, col=col, app=app))
    with place.connected(told) as connection, connection.cursor() as cursor:
        found = archive_registry.find(cursor, told.pairs)
    if as_json:
        render.write_json({"archives": [_facts(one) for one in found]})
    else:
        _tell(found)


@app.command()
def drop(
    names: Annotated[list[str] | None, typer.Argument(help="Archive tables to drop.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Drop all archives.")] = False,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Drop archives for ever, all that are named or none; ask first."""
    if bool(names) == every:
        raise UsageError(
            "name the archives to drop, or give --all",
            hint="`collec-migrations archive list` shows them.",
        )
    options.need_consent(plan=plan, yes=yes)
    told = access.told(options.given(url=url, gacl=gacl, col=col, app=app))
    with (
        place.connected(told) as connection,
        locks.held(connection, wait=told.lock_wait, say=options.say),
        connection.cursor() as cursor,
    ):
        found = archive_registry.find(cursor, told.pairs)
        chosen = found if every else _chosen(found, names or [])
        # The question is asked outside of any transaction: nobody waits for the answer.
        connection.rollback()
        if not as_json:
            _tell(chosen)
        elif plan:
            render.write_json({"archives": [_facts(one) for one in chosen]})
        if plan:
            return
        if chosen:
            options.ask_consent("Drop these tables for ever?", yes=yes)
        emptied = archive_registry.drop(cursor, chosen)
        connection.commit()
    if as_json:
        dropped = [_facts(one) for one in chosen]
        render.write_json({"dropped": dropped, "dropped_schemas": list(emptied)})
    elif chosen:
        _tell_dropped(chosen, emptied)


def _tell_dropped(chosen: Sequence[Archive], emptied: Sequence[str]) -> None:
    options.say(f"dropped {len(chosen)} archive tables")
    for schema in emptied:
        options.say(f"dropped the schema {schema!r}, in which nothing was left")


def _chosen(found: Sequence[Archive], names: Sequence[str]) -> tuple[Archive, ...]:
    return tuple(dict.fromkeys(archive_registry.named(found, name) for name in names))


def _tell(found: Sequence[Archive]) -> None:
    if not found:
        options.say("there are no archives")
        return
    for line in render.table(TITLES, [_cells(one) for one in found]):
        typer.echo(line)


def _cells(one: Archive) -> tuple[str, ...]:
    when = one.when.strftime("%Y-%m-%d %H:%M")
    size = f"{one.size / 1024:,.0f} kB"
    return (one.schema, one.table, one.kind, str(one.rows), size, one.step, when, one.source)


def _facts(one: Archive) -> render.Facts:
    return {
        "schema": one.schema,
        "table": one.table,
        "kind": one.kind,
        "rows": one.rows,
        "bytes": one.size,
        "step": one.step,
        "when": one.when.isoformat(),
        "from": one.source,
    }
