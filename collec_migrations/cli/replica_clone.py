"""`replica clone`: make a standby on this machine."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import options, progress, render
from collec_migrations.postgres.sizes import shown
from collec_migrations.replica import ClonePlan, CloneResult


def clone_(
    primary: Annotated[
        str,
        typer.Option("--primary", help="The primary: postgresql://rep@HOST:PORT, no password."),
    ],
    data: Annotated[Path, typer.Option("--data", help="The standby's data folder.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Of the standby; else this machine's.")
    ] = None,
    passfile: Annotated[
        Path | None,
        typer.Option("--passfile", help="Password file; else ~/.pgpass of the server's account."),
    ] = None,
    bin_dir: Annotated[
        Path | None, typer.Option("--bindir", help="Folder of pg_basebackup and postgres.")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the standby.")] = None,
    listen: Annotated[
        str | None, typer.Option("--listen", help="Addresses on which the standby listens.")
    ] = None,
    swap: Annotated[
        bool, typer.Option("--replace", help="Move a stopped cluster of another system aside.")
    ] = False,
    wait: Annotated[float, typer.Option("--wait", min=1, help="Seconds until it streams.")] = 120,
    silence: Annotated[
        float, typer.Option("--silence", min=1, help="Seconds without a byte: then give up.")
    ] = 600,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Make a standby of a primary in a data folder of this machine."""
    options.need_consent(plan=plan, yes=yes)
    spec = replace(
        replica.standby_spec(primary, data, name=name, passfile=passfile),
        bin_dir=bin_dir,
        own_port=port,
        own_listen=listen,
        replace=swap,
        patience=wait,
        silence=silence,
    )
    if not yes:
        found = replica.plan_clone(spec)
        if as_json:
            render.write_json(_plan_facts(found))
        else:
            typer.echo("\n".join(_planned(found)))
        if plan or found.obstacles:
            raise typer.Exit(1 if found.obstacles else 0)
        options.ask_consent("Clone now?", yes=False)
    with progress.watched() as (say, advance):
        done = replica.make_clone(spec, say=say, advance=advance)
    if as_json:
        render.write_json(_done_facts(done))
    else:
        typer.echo("\n".join(_done(done)))


def _planned(found: ClonePlan) -> Iterator[str]:
    spec, node, primary = found.spec, found.node, found.primary
    release = primary.version_text.split(" ")[1]
    yield f"standby {spec.name!r} of {spec.shown}"
    yield f"  primary    PostgreSQL {release}, system {found.system}, timeline {found.timeline}"
    yield f"  into       {spec.data}: {found.target.kind.value}, owner {node.account.name}"
    yield f"  programs   {node.binaries.bin_dir} ({node.binaries.version})"
    yield f"  size       {shown(primary.databases)}; {shown(found.target.free)} free"
    yield f"  comes in   as {spec.user}, password file {found.upstream.passfile}"
    yield "it would"
    yield f"  make the slot {spec.slot!r} on the primary"
    yield f"  copy by pg_basebackup into {spec.partial}, and verify the copy"
    yield f"  give it its name{', after moving aside what is there' if found.target.system else ''}"
    yield "  configure it as a standby, with no setting below the primary's"
    yield f"  start it by {_starter(found)}, and wait until it streams"
    yield from (f"note: {note}" for note in found.notes)
    for one in found.obstacles:
        yield f"blocked by: {one.message}"
        yield f"            {one.hint}"
    yield "not possible yet" if found.obstacles else "nothing blocks it"


def _done(done: CloneResult) -> Iterator[str]:
    spec, node = done.plan.spec, done.plan.node
    after = f"after {done.seconds:.1f} s"
    yield f"{spec.name!r} streams from {spec.shown}, {after}; slot {spec.slot!r}"
    if not done.asked:
        yield "note: its owner cannot come in by the socket: the primary's slot alone proves it"
    if done.raised:
        yield f"note: raised to the primary's running values: {', '.join(done.raised)}"
    if done.aside:
        yield f"the former folder is {done.aside}; remove it when you need it no more"
    if not node.debian:
        stop = shlex.join((str(node.binaries.program("pg_ctl")), "-D", str(spec.data), "stop"))
        who = "" if node.account.is_caller else f"runuser -u {node.account.name} -- "
        yield f"started by pg_ctl: nothing starts it at boot yet. Stop it with: {who}{stop}"


def _starter(found: ClonePlan) -> str:
    return f"pg_ctlcluster ({found.node.debian.shown})" if found.node.debian else "pg_ctl"


def _plan_facts(found: ClonePlan) -> render.Facts:
    return {
        "name": found.spec.name,
        "primary": found.spec.shown,
        "system": str(found.system),
        "timeline": found.timeline,
        "data": found.spec.data,
        "slot": found.spec.slot,
        "bytes": found.primary.databases,
        "obstacles": [{"message": one.message, "hint": one.hint} for one in found.obstacles],
        "notes": list(found.notes),
    }


def _done_facts(done: CloneResult) -> render.Facts:
    return {
        "name": done.plan.spec.name,
        "primary": done.plan.spec.shown,
        "data": done.plan.spec.data,
        "slot": done.plan.spec.slot,
        "seconds": done.seconds,
        "streams": True,
        "proved_by_itself": done.asked,
        "raised": list(done.raised),
        "aside": done.aside,
    }
