"""The command `replica status`: read all nodes, judge, show, exit."""

from enum import StrEnum
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import options, render, replica_options, replica_text
from collec_migrations.errors import UsageError
from collec_migrations.replica import Limits, Report

UNKNOWN = 3
"""Nagios: nothing can be said."""
CLEAR = "\x1b[H\x1b[2J"


class Form(StrEnum):
    """How the state is shown."""

    TEXT = "text"
    JSON = "json"
    NAGIOS = "nagios"
    PROMETHEUS = "prometheus"


def status(
    node_: replica_options.Nodes = None,
    file: replica_options.File = None,
    as_json: options.Json = False,
    nagios: Annotated[
        bool, typer.Option("--nagios", help="One line, exit status 0, 1, 2 or 3.")
    ] = False,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="For the textfile collector.")
    ] = False,
    max_bytes: Annotated[
        int, typer.Option("--max-lag-bytes", min=0, help="Bytes behind that need attention.")
    ] = Limits().bytes,
    max_seconds: Annotated[
        float, typer.Option("--max-lag-seconds", min=0, help="Seconds behind that need attention.")
    ] = Limits().seconds,
    patience: replica_options.Patience = replica_options.DEFAULT_PATIENCE,
) -> None:
    """Tell the state of every node: 0 all is well, 1 needs attention, 3 broken."""
    form = _form(as_json, nagios, prometheus)
    try:
        named = replica.known_nodes(node_ or (), file)
    except UsageError as error:
        if form is not Form.NAGIOS:
            raise
        typer.echo(f"REPLICA UNKNOWN - {error}")
        raise typer.Exit(UNKNOWN) from error
    limits = Limits(bytes=max_bytes, seconds=max_seconds)
    found = replica.report(replica.read_nodes(named, patience=patience), limits)
    raise typer.Exit(_show(found, form))


def _form(as_json: bool, nagios: bool, prometheus: bool) -> Form:
    chosen = [
        form
        for form, wanted in (
            (Form.JSON, as_json),
            (Form.NAGIOS, nagios),
            (Form.PROMETHEUS, prometheus),
        )
        if wanted
    ]
    if len(chosen) > 1:
        raise UsageError("--json, --nagios and --prometheus cannot be given together")
    return chosen[0] if chosen else Form.TEXT


def _show(report: Report, form: Form) -> int:
    """Write the state; return the exit status."""
    if form is Form.NAGIOS:
        status, line = replica_text.nagios(report)
        typer.echo(line)
        return status
    if form is Form.JSON:
        render.write_json(replica_text.as_json(report))
    elif form is Form.PROMETHEUS:
        typer.echo("\n".join(replica_text.prometheus(report)))
    else:
        typer.echo("\n".join(replica_text.lines(report)))
    return replica_text.STATUS[report.verdict]
