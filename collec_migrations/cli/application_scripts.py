"""`upgrade --app`: scripts of the installed application that no version is made of yet."""

from pathlib import Path

import typer

from collec_migrations import wrap
from collec_migrations.cli import options
from collec_migrations.errors import ChainBroken


def offer(app: Path, *, plan: bool, yes: bool) -> None:
    """Say which steps the application brings along, and wrap them where that is wanted."""
    folder = wrap.of_application(app)
    if folder is None:
        return
    try:
        found = wrap.survey([folder])
    except ChainBroken as error:
        options.say(f"warning: {error}")
        return
    for one in found.added:
        names = ", ".join(path.name for path in one.step.files)
        options.say(f"{folder} has a step to {one.step.new} that is no version yet: {names}")
    if not found.added or plan:
        if found.added:
            options.say(f"the plan leaves it out; see `collec-migrations wrap {folder}`")
        return
    if yes or typer.confirm("Make versions of them?", err=True):
        wrap.write(found)
        options.say(f"written to {found.folder}")
