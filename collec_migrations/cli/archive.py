"""`collec-migrations archive list|drop`: what steps removed from the schemas, and kept."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from collec_migrations.cli import options, place, render
from collec_migrations.errors import UsageError
from collec_migrations.migrate import access, archive_registry
from collec_migrations.migrate.archive_registry import Archive
from collec_migrations.postgres import locks
from collec_migrations.settings import Settings

TITLES = ("schema", "table", "kind", "rows", "size", "step", "when", "from")


class Action(StrEnum):
    """What is to be done with the archives."""

    LIST = "list"
    DROP = "drop"


def archive(
    action: Annotated[
        Action, typer.Argument(metavar="list|drop", help="List them, or drop some for ever.")
    ],
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
    """List what steps removed and kept: which step, when, from which table; or drop it for ever.

    Of those that are named all are dropped, or none.
    """
    given = options.given(url=url, gacl=gacl, col=col, app=app)
    if action is Action.LIST:
        if names or every:
            raise UsageError("`archive list` lists all archives", hint="Leave the names out.")
        _list(access.read_settings(given), as_json=as_json)
        return
    if bool(names) == every:
        raise UsageError(
            "name the archives to drop, or give --all",
            hint="`collec-migrations archive list` shows them.",
        )
    options.need_consent(plan=plan, yes=yes)
    _drop(access.read_settings(given), names or [], plan=plan, yes=yes, as_json=as_json)


def _list(settings: Settings, *, as_json: bool) -> None:
    with place.connected(settings) as connection, connection.cursor() as cursor:
        found = archive_registry.find(cursor, settings.pairs)
    if as_json:
        render.write_json({"archives": [_facts(one) for one in found]})
    else:
        _show(found)


def _drop(
    settings: Settings, names: Sequence[str], *, plan: bool, yes: bool, as_json: bool
) -> None:
    """Drop the archives of these names; of none: all."""
    with (
        place.connected(settings) as connection,
        locks.held(connection, wait=settings.lock_wait, say=options.say),
        connection.cursor() as cursor,
    ):
        found = archive_registry.find(cursor, settings.pairs)
        named = dict.fromkeys(archive_registry.named(found, name) for name in names)
        chosen = tuple(named) if names else found
        # The question is asked outside of any transaction: nobody waits for the answer.
        connection.rollback()
        if not as_json:
            _show(chosen)
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
        options.say(f"dropped {render.count(len(chosen), 'archive table')}")
        for schema in emptied:
            options.say(f"dropped the schema {schema!r}, in which nothing was left")


def _show(found: Sequence[Archive]) -> None:
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
