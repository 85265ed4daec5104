"""`collec-migrations wrap`: turn the application's own later scripts into versions."""

from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.cli import facts, options
from collec_migrations.wrapping import wrap as wrapping
from collec_migrations.wrapping.wrap import Outcome, Wrapped


def wrap(
    scripts: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCRIPT_OR_FOLDER",
            help="Scripts col_alter_A-B.sql or upgrade-A-B.sql, or folders that hold them.",
            exists=True,
        ),
    ],
    into: Annotated[
        Path | None,
        typer.Option(help="Where to write; left out: collec-versions beside alembic.ini."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Wrap upgrade scripts of the application, to go on to them.

    Exit status: 1 when a script is another than the one that was wrapped.
    """
    place = wrapping.Place.of(into)
    outcome = wrapping.wrap(scripts, place)
    if as_json:
        facts.write(_facts(outcome, place))
        raise typer.Exit(1 if outcome.changed else 0)
    for wrapped in outcome.added:
        _show(wrapped)
    _sum_up(outcome, place)
    raise typer.Exit(1 if outcome.changed else 0)


def _show(wrapped: Wrapped) -> None:
    step = wrapped.step
    names = ", ".join(named.path.name for named in step.files)
    typer.echo(f"{step.new}: {len(wrapped.script.items)} statements of {names}")
    for finding in wrapped.script.findings:
        typer.echo(f"  {finding}")
    for placement in wrapped.errata:
        erratum = placement.erratum
        item = wrapped.script.items[placement.index]
        typer.echo(f"  {erratum.id} {erratum.action} at {item.place}: {erratum.reason}")
    for file, doubt in wrapped.doubts:
        typer.echo(f"  in doubt under other schema names: {file}:{doubt.line}: {doubt.literal!r}")


def _sum_up(outcome: Outcome, place: wrapping.Place) -> None:
    for path in outcome.left_out:
        options.say(f"{path.name}: left out, that version never was")
    for version in outcome.changed:
        options.say(
            f"{version}: the script is another than the one that was wrapped; nothing was written"
        )
    if outcome.unchanged:
        options.say(f"wrapped before, unchanged: {', '.join(outcome.unchanged)}")
    if outcome.added:
        options.say(f"written to {place.revisions}; see `collec-migrations upgrade --plan`")
    elif not outcome.changed:
        options.say("nothing new")


def _facts(outcome: Outcome, place: wrapping.Place) -> facts.Facts:
    return {
        "added": [_wrapped_facts(one) for one in outcome.added],
        "unchanged": outcome.unchanged,
        "changed": outcome.changed,
        "left_out": outcome.left_out,
        "folder": place.revisions,
    }


def _wrapped_facts(one: Wrapped) -> facts.Facts:
    items = one.script.items
    return {
        "version": one.step.new,
        "scripts": [named.path for named in one.step.files],
        "statements": len(items),
        "findings": list(map(str, one.script.findings)),
        "errata": [
            {
                "id": placement.erratum.id,
                "action": placement.erratum.action,
                "at": items[placement.index].place,
                "reason": placement.erratum.reason,
            }
            for placement in one.errata
        ],
        "undecided": [
            {"file": file, "line": doubt.line, "literal": doubt.literal}
            for file, doubt in one.doubts
        ],
    }
