"""The command `replica rejoin`: an old primary, or another standby, follows the new primary."""

from collections.abc import Iterator
from dataclasses import asdict

import typer

from collec_migrations import replica
from collec_migrations.cli import options, render, replica_options
from collec_migrations.replica import Method, RejoinPlan, RejoinRequest, RejoinResult

DID = {
    None: "follows already",
    Method.ATTACH: "follows again, as it was",
    Method.REWIND: "follows again, after a rewind",
    Method.CLONE: "follows again, as a new clone",
}


def rejoin(
    data: replica_options.Data,
    name: replica_options.Name = None,
    node_: replica_options.Nodes = None,
    file: replica_options.File = None,
    passfile: replica_options.Passfile = None,
    bin_dir: replica_options.BinDir = None,
    wait: replica_options.Wait = 60,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Bring the server of a data folder back as a standby of the present primary."""
    named = replica.known_nodes(node_ or (), file)
    request = RejoinRequest(
        nodes=named,
        name=replica_options.own_name(name, named),
        data=data,
        passfile=passfile,
        bin_dir=bin_dir,
        patience=wait,
    )
    found = replica.plan_rejoin(request)
    if found.choice is not None:
        replica_options.agree(list(_planned(found)), plan=plan, yes=yes, as_json=as_json)
    done = replica.rejoin_standby(found, say=options.say)
    if as_json:
        rest = asdict(done)
        way = rest.pop("method")
        render.write_json({"name": found.request.name, "way": way, **rest})
    else:
        typer.echo("\n".join(_done(done, found)))
    raise typer.Exit(3 if done.left else 0)


def _planned(found: RejoinPlan) -> Iterator[str]:
    assert found.choice is not None
    name, data = found.request.name, found.spec.data
    yield f"{name} ({data}) follows {found.primary.name}, timeline {found.primary.timeline}"
    if found.writes:
        yield "  it takes writes at this moment: what it took alone is LOST"
    if found.running:
        yield "  its server is stopped"
    yield f"  {found.choice.method.value}: {found.choice.why}"
    if found.choice.method is Method.REWIND:
        yield "  what it wrote and its primary never had is gone then; its settings stay"
        yield "  if that is not possible, it is cloned anew"
    if found.choice.method is not Method.ATTACH:
        yield f"  for a clone the present folder is moved aside, as {data.name}.before-..."
    yield "  it is marked as a standby before it starts"


def _done(done: RejoinResult, found: RejoinPlan) -> Iterator[str]:
    yield f"{found.request.name} {DID[done.method]}: {found.primary.name}, timeline {done.timeline}"
    yield from (f"the slot {name!r} that it had as a primary is dropped" for name in done.dropped)
    if done.aside:
        yield f"the former folder is {done.aside}; remove it when you need it no more"
    yield from (f"by hand: {line}" for line in done.left)
