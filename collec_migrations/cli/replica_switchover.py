"""The command `replica switchover`: primary and standby exchange their roles."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import options, render, replica_options
from collec_migrations.install import application_settings
from collec_migrations.replica import RejoinRequest, Switchover, SwitchoverPlan


def switchover_(
    data: replica_options.Data,
    name: replica_options.Name = None,
    to: Annotated[
        str | None, typer.Option("--to", help="The standby; else the only one that answers.")
    ] = None,
    node_: replica_options.Nodes = None,
    file: replica_options.File = None,
    passfile: replica_options.Passfile = None,
    bin_dir: replica_options.BinDir = None,
    wait: replica_options.Wait = 60,
    app: options.App = None,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Exchange the roles of the primary on this machine and of a standby; nothing is lost."""
    named = replica.known_nodes(node_ or (), file)
    installation = options.installation(app)
    request = RejoinRequest(
        nodes=named,
        name=replica_options.own_name(name, named),
        data=data,
        passfile=passfile,
        bin_dir=bin_dir,
        patience=wait,
    )
    found = replica.plan_switchover(request, to)
    replica_options.agree(list(_planned(found)), plan=plan, yes=yes, as_json=as_json)
    done = replica.switch_over(found, say=options.say)
    lines = application_settings.moved(done.promoted.host, done.promoted.port, installation)
    if as_json:
        render.write_json({**asdict(done), "lost": done.lost, "application": list(lines)})
    else:
        typer.echo("\n".join(_done(done, found)))
        typer.echo("\n".join(f"  {line}" for line in lines))
    raise typer.Exit(3 if done.left else 0)


def _planned(found: SwitchoverPlan) -> Iterator[str]:
    primary, target = found.primary.name, found.target.name
    yield f"{primary} is stopped: the application is away for some seconds"
    yield f"when {target} is proved to have its last record, it is promoted; else {primary} starts"
    yield f"{primary} follows {target}"


def _done(done: Switchover, found: SwitchoverPlan) -> Iterator[str]:
    yield (
        f"{found.target.name} is the primary on timeline {done.promoted.timeline}; "
        f"{done.away:.1f} s without one"
    )
    yield (
        f"bytes lost: {done.lost} "
        f"({found.primary.name} stopped at {replica.lsn_text(done.stopped_at)}, "
        f"{found.target.name} had {replica.lsn_text(done.had)})"
    )
    yield from (f"by hand: {line}" for line in done.left)
    for other in found.others:
        yield f"on the machine of {other}: replica rejoin --data DATA_FOLDER --name {other}"
    yield "update the configuration of the application:"
