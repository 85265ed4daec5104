"""`collec-migrations wrap`: turn the application's own later scripts into versions."""

from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import wrap as wrapping
from collec_migrations.cli import options, render
from collec_migrations.errors import UsageError
from collec_migrations.wrap import Outcome, Wrapped


def wrap(
    scripts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCRIPT_OR_FOLDER",
            help="Scripts col_alter_A-B.sql or upgrade-A-B.sql, or folders that hold them;"
            " NAME=VALUE: what psql would be given by -v.",
        ),
    ] = None,
    app: options.App = None,
    into: Annotated[
        Path | None,
        typer.Option(help="Where to write; left out: collec-versions beside alembic.ini."),
    ] = None,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Wrap upgrade scripts of the application, to go on to them; with `--app`, those it brings.

    Exit status: 1 when a script is another than the one that was wrapped, or the answer is no.
    """
    options.need_consent(plan=plan, yes=yes)
    words = scripts or ()
    paths = [Path(one) for one in words if "=" not in one or Path(one).exists()]
    variables = [one.partition("=") for one in words if Path(one) not in paths]
    folder = options.app_folder(app)
    if not paths and folder and (brought := wrapping.of_application(folder)):
        paths = [brought]
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no {path}", hint="Name scripts, or folders of scripts.")
    if not paths:
        raise UsageError("no script is named", hint="Name scripts, folders of scripts, or --app.")
    outcome = wrapping.survey(paths, into, {name: value for name, _, value in variables})
    if not as_json:
        for wrapped in outcome.added:
            show(wrapped)
        _sum_up(outcome)
    if outcome.has_work and not plan:
        options.ask_consent(f"Write to {outcome.folder}?", yes=yes)
        wrapping.write(outcome)
    if as_json:
        render.write_json(_facts(outcome))
    elif outcome.added and not plan:
        options.say(f"written to {outcome.folder}; see `collec-migrations upgrade --plan`")
    raise typer.Exit(1 if outcome.changed else 0)


def show(wrapped: Wrapped) -> None:
    """Tell what a step is made of."""
    names = ", ".join(path.name for path in wrapped.step.files)
    statements = render.count(wrapped.script.size, "statement")
    typer.echo(f"{wrapped.step.new}: {statements} of {names}, {wrapped.script.encoding}")
    for note in wrapped.script.notes:
        typer.echo(f"  {note}")
    if wrapped.unbound:
        typer.echo(f"  under other names of schemas it cannot run: {wrapped.unbound}")


def _sum_up(outcome: Outcome) -> None:
    for path in outcome.left_out:
        options.say(f"{path.name}: not taken, its name tells no step to a later version")
    for version in outcome.changed:
        options.say(
            f"{version}: the script is another than the one that was wrapped; nothing is written"
        )
    for version in outcome.handed_over:
        options.say(f"{version}: the chain itself has this version now; its revision goes")
    if outcome.unchanged:
        options.say(f"wrapped before, unchanged: {', '.join(outcome.unchanged)}")
    if not outcome.added and not outcome.changed:
        options.say("nothing new")


def _facts(outcome: Outcome) -> render.Facts:
    return {
        "added": [
            {
                "version": one.step.new,
                "scripts": list(one.step.files),
                "statements": one.script.size,
                "encoding": one.script.encoding,
                "notes": list(one.script.notes),
                "unbound": one.unbound or None,
            }
            for one in outcome.added
        ],
        "unchanged": outcome.unchanged,
        "changed": outcome.changed,
        "handed_over": outcome.handed_over,
        "left_out": list(outcome.left_out),
        "folder": outcome.folder,
    }
