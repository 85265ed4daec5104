"""The commands of standbys: prepare a primary, clone it, watch, promote, rejoin."""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import options, place, progress, render
from collec_migrations.cli.group import group
from collec_migrations.cli.render import replica as shown
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.install import application_settings
from collec_migrations.migrate import access
from collec_migrations.postgres.connection import translated
from collec_migrations.replica import NamedNode, RejoinRequest

app = group("Set up, watch and use standbys.")
UNKNOWN = 3
"""Nagios: nothing can be said."""
FOLLOWS = 60.0
"""Seconds until a node that comes back has to stream."""
SECRETS = Path("replica.pgpass")
STREAMS = Annotated[float, typer.Option("--timeout", min=1, help="Seconds until it streams.")]
ANSWERS = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds to wait for an answer of a server.")
]


@app.command()
def primary(
    standby: Annotated[
        str, typer.Argument(metavar="STANDBY", help="Address from which the standby will come.")
    ],
    url: options.Url = None,
    app: options.App = None,
    passfile: Annotated[
        Path, typer.Option("--passfile", help="Where new passwords are kept, mode 0600.")
    ] = SECRETS,
    new_passwords: Annotated[
        bool, typer.Option("--new-passwords", help="Give the roles new passwords in any case.")
    ] = False,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Make a server ready to have a standby: tell all that it lacks, and why, then write it.

    Exit status: 1 when something is missing.
    """
    options.need_consent(plan=plan, yes=yes)
    given = access.read_settings(options.given(url=url, app=app))
    connect = place.administrator(given, url).connect
    secrets = passfile.absolute()
    if not yes:
        found = replica.plan_primary(connect, standby, secrets)
        _show(shown.primary_plan_json(found), shown.primary_plan(found), as_json=as_json)
        if plan or found.is_ready:
            raise typer.Exit(0 if found.is_ready else 1)
        options.ask_consent("Write this?", yes=False)
    done = replica.prepare_primary(
        connect, standby, secrets, new_passwords=new_passwords, say=options.say
    )
    _show(shown.primary_json(done), shown.primary(done, secrets), as_json=as_json)
    raise typer.Exit(3 if done.failures else 0 if done.after.is_ready else 1)


@app.command()
def clone(
    primary: Annotated[
        str,
        typer.Argument(
            metavar="PRIMARY", help="HOST, HOST:PORT or an address, without a password."
        ),
    ],
    data: options.Data,
    name: options.Name = None,
    passfile: options.Passfile = None,
    bin_dir: options.BinDir = None,
    listen: Annotated[
        str, typer.Option("--listen", help="ADDRESSES:PORT, when the configuration differs.")
    ] = "",
    swap: Annotated[
        bool, typer.Option("--force", help="Move a stopped cluster of another system aside.")
    ] = False,
    wait: STREAMS = 120,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Make a standby of a primary in a data folder of this machine."""
    options.need_consent(plan=plan, yes=yes)
    addresses, _, port = listen.rpartition(":")
    if listen and not port.isdecimal():
        raise UsageError(f"--listen {listen!r} ends with no port", hint="For example: '*:5433'.")
    spec = replace(
        replica.standby_spec(primary, data, name=name, passfile=passfile),
        bin_dir=bin_dir,
        own_port=int(port) if port else None,
        own_listen=addresses or None,
        replace=swap,
        patience=wait,
        silence=5 * wait,
    )
    if passfile is None and SECRETS.is_file() and not plan:
        account = replica.owner_of(spec.data)
        target = replica.passfile_of(spec, account)
        options.ask_consent(f"Copy the lines of {SECRETS} to {target}?", yes=yes)
        replica.take_passfile(SECRETS, target, account)
        options.say(f"{target} has the passwords of {SECRETS}, which you may remove")
    if not yes:
        found = replica.plan_clone(spec)
        _show(shown.clone_plan_json(found), shown.clone_plan(found), as_json=as_json)
        if plan or found.obstacles:
            raise typer.Exit(1 if found.obstacles else 0)
        options.ask_consent("Clone now?", yes=False)
    with progress.watched() as (say, advance):
        done = replica.make_clone(spec, say=say, advance=advance)
    _show(shown.clone_json(done), shown.clone(done), as_json=as_json)


@app.command()
def status(
    node_: options.Nodes = None,
    app: options.App = None,
    as_json: options.Json = False,
    nagios: options.Nagios = False,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="For the textfile collector.")
    ] = False,
    report: options.Report = None,
    patience: ANSWERS = replica.PATIENCE,
) -> None:
    """Tell the state of every node: 0 all is well, 1 needs attention, 3 broken.

    The report is the site's own runbook for a bad night (Markdown): addresses, commands in order,
    how to check.
    """
    if as_json + nagios + prometheus > 1:
        raise UsageError("--json, --nagios and --prometheus cannot be given together")
    try:
        named = _nodes(node_)
    except UsageError as error:
        if not nagios:
            raise
        typer.echo(f"REPLICA UNKNOWN - {error}")
        raise typer.Exit(UNKNOWN) from error
    seen = replica.read_nodes(named, patience=patience)
    if report:
        _write_runbook(report, seen, app)
    found = replica.report(seen, replica.limits(options.folder_in(options.NODES)))
    if nagios:
        code, line = shown.nagios(found)
        typer.echo(line)
        raise typer.Exit(code)
    if prometheus:
        typer.echo("\n".join(shown.prometheus(found)))
    else:
        _show(shown.status_json(found), shown.status(found), as_json=as_json)
    raise typer.Exit(shown.STATUS[found.verdict])


def _write_runbook(report: Path, seen: Sequence[replica.Node], app: Path | None) -> None:
    primary = replica.primary_of(seen)
    name = primary.name if primary else ""
    target = replica.target_of(seen, name) or seen[0]
    site = replica.Site(
        nodes=tuple(seen),
        primary=name,
        application=application_settings.moved(target.host, target.port, options.installation(app)),
        written=date.today().isoformat(),
    )
    with translated(MigrationError, "the runbook could not be written"):
        report.write_text(replica.page(site) + "\n", encoding="utf-8")
    for one in seen:
        if isinstance(one, replica.Down):
            options.say(f"note: {one.name} did not answer: its data folder is not on the page")


@app.command()
def promote(
    standby: Annotated[
        str | None,
        typer.Argument(metavar="STANDBY", help="Its name; else the only one that answers."),
    ] = None,
    node_: options.Nodes = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="The primary's folder here, for a switchover; before 12 the standby's."
        ),
    ] = None,
    switchover: Annotated[
        bool, typer.Option("--switchover", help="Stop the primary, here, first; it follows then.")
    ] = False,
    name: options.Name = None,
    passfile: options.Passfile = None,
    bin_dir: options.BinDir = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although a primary seems to answer: you fenced it.")
    ] = False,
    app: options.App = None,
    patience: Annotated[
        float | None, typer.Option("--timeout", min=1, help="Seconds to wait for a server.")
    ] = None,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Make a standby the primary, unless the primary lives or another standby has more.

    With `--switchover`, on the machine of the primary: both exchange their roles, nothing is lost.
    """
    named = _nodes(node_)
    if switchover:
        if data is None or force:
            raise UsageError(
                "--switchover takes no --force, and needs --data: the primary's folder, here"
            )
        request = _request(named, name, data, passfile, bin_dir, patience=patience or FOLLOWS)
        _switch_over(request, standby, app, plan=plan, yes=yes, as_json=as_json)
    local = replica.node_at(data, replica.major_of(data)) if data else None
    found = replica.plan_promotion(
        named, standby, local=local, force=force, patience=patience or replica.PATIENCE
    )
    _agree(list(shown.promotion_plan(found)), plan=plan, yes=yes, as_json=as_json)
    done = replica.promote(found, say=options.say)
    lines = application_settings.moved(done.host, done.port, options.installation(app))
    facts = {**asdict(done), "application": list(lines)}
    _show(facts, [*shown.promotion(done, found), *(f"  {one}" for one in lines)], as_json=as_json)
    raise typer.Exit(3 if done.left else 0)


def _switch_over(
    request: RejoinRequest,
    standby: str | None,
    app: Path | None,
    *,
    plan: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Exchange the roles; ends with its exit status."""
    found = replica.plan_switchover(request, standby)
    _agree(list(shown.switchover_plan(found)), plan=plan, yes=yes, as_json=as_json)
    done = replica.switch_over(found, say=options.say)
    now = done.promoted
    lines = application_settings.moved(now.host, now.port, options.installation(app))
    facts = {**asdict(done), "lost": done.lost, "application": list(lines)}
    _show(facts, [*shown.switchover(done, found), *(f"  {one}" for one in lines)], as_json=as_json)
    raise typer.Exit(3 if done.left else 0)


@app.command()
def rejoin(
    data: options.Data,
    name: options.Name = None,
    node_: options.Nodes = None,
    passfile: options.Passfile = None,
    bin_dir: options.BinDir = None,
    wait: STREAMS = FOLLOWS,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Bring the server of a data folder back as a standby of the present primary."""
    request = _request(_nodes(node_), name, data, passfile, bin_dir, patience=wait)
    found = replica.plan_rejoin(request)
    if found.choice is not None:
        _agree(list(shown.rejoin_plan(found)), plan=plan, yes=yes, as_json=as_json)
    done = replica.rejoin_standby(found, say=options.say)
    rest = asdict(done)
    facts = {"name": found.request.name, "way": rest.pop("method"), **rest}
    _show(facts, shown.rejoin(done, found), as_json=as_json)
    raise typer.Exit(3 if done.left else 0)


def _nodes(given: list[str] | None) -> tuple[NamedNode, ...]:
    return replica.known_nodes(given or (), options.folder_in(options.NODES))


def _request(
    named: tuple[NamedNode, ...],
    name: str | None,
    data: Path,
    passfile: Path | None,
    bin_dir: Path | None,
    *,
    patience: float,
) -> RejoinRequest:
    """Return who is to follow; raise `UsageError` when this machine is not among the nodes."""
    own = name or socket.gethostname().partition(".")[0]
    if name is None and all(one.name != own for one in named):
        raise UsageError(
            f"which of the nodes this machine is, is not clear: none is called {own!r}",
            hint=f"Say it with --name: {', '.join(one.name for one in named)}.",
        )
    return RejoinRequest(
        nodes=named,
        name=replica.node_named(named, own).name,
        data=data,
        passfile=passfile,
        bin_dir=bin_dir,
        patience=patience,
    )


def _agree(lines: Sequence[str], *, plan: bool, yes: bool, as_json: bool) -> None:
    """Show a plan, and go on only when that is wanted.

    With `as_json` standard output is for the result alone.
    """
    if plan and as_json:
        render.write_json({"plan": list(lines)})
    else:
        for line in lines:
            typer.echo(line, err=yes or as_json)
    if plan:
        raise typer.Exit
    options.ask_consent("Do it?", yes=yes)


def _show(facts: render.Facts, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        render.write_json(facts)
    else:
        typer.echo("\n".join(lines))
