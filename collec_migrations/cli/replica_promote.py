"""The command `replica promote`: a standby becomes the primary."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import options, render, replica_options
from collec_migrations.install import application_settings
from collec_migrations.replica import Promotion, PromotionPlan


def promote(
    name: Annotated[
        str | None, typer.Argument(help="The standby; else the only one that answers.")
    ] = None,
    node_: replica_options.Nodes = None,
    file: replica_options.File = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Its data folder here; needed before 12.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although a primary seems to answer: you fenced it.")
    ] = False,
    app: options.App = None,
    patience: replica_options.Patience = replica_options.DEFAULT_PATIENCE,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Make a standby the primary, unless the primary lives or another standby has more."""
    named = replica.known_nodes(node_ or (), file)
    installation = options.installation(app)
    local = replica.node_at(data, replica.major_of(data)) if data else None
    found = replica.plan_promotion(named, name, local=local, force=force, patience=patience)
    replica_options.agree(list(_planned(found)), plan=plan, yes=yes, as_json=as_json)
    done = replica.promote(found, say=options.say)
    lines = application_settings.moved(done.host, done.port, installation)
    if as_json:
        render.write_json({**asdict(done), "application": list(lines)})
    else:
        typer.echo("\n".join(_done(done, found)))
        typer.echo("\n".join(f"  {line}" for line in lines))
    raise typer.Exit(3 if done.left else 0)


def _planned(found: PromotionPlan) -> Iterator[str]:
    target = found.target
    yield f"{target.name} ({target.shown}) becomes the primary, on a new timeline"
    for slot in found.slots:
        yield f"  the slot {slot!r} is made on it, for a node that comes back"
    yield from (f"overruled by --force: {one.message}" for one in found.overruled)
    yield from (f"note: {note}" for note in found.notes)


def _done(done: Promotion, found: PromotionPlan) -> Iterator[str]:
    yield f"{done.name} is the primary on timeline {done.timeline}, after {done.seconds:.1f} s"
    yield from (f"by hand: {line}" for line in done.left)
    yield "keep the former primary off until, on its machine:"
    yield "  collec-migrations replica rejoin --data DATA_FOLDER --name ITS_NAME"
    if found.slots and (found.target.number("max_slot_wal_keep_size") or -1) < 0:
        yield "a slot keeps WAL until its node is back: drop those of nodes that stay away"
    yield "update the configuration of the application:"
