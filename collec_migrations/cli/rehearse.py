"""`collec-migrations rehearse`: try an upgrade on a copy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import backup
from collec_migrations.backup import Backup
from collec_migrations.cli import options, render
from collec_migrations.errors import BackupFailed, UsageError
from collec_migrations.migrate import access
from collec_migrations.postgres import conninfo, signals
from collec_migrations.postgres.connection import translated
from collec_migrations.settings import Settings


def rehearse(
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Address, or a backup's id; else the database as usual."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to", help="A version of the chain, or head.", autocompletion=options.chain_versions
        ),
    ] = "head",
    into: options.IntoIfAny = None,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the copy running.")] = False,
    report: options.Report = None,
    as_json: options.Json = False,
) -> None:
    """Try an upgrade on a copy, and tell how it went.

    The report is one HTML page. Exit status: 1 when the upgrade would fail.
    """
    scratch = options.folder_in(options.SCRATCH)
    backup.check_target(to)
    if report and not (report.parent.is_dir() and os.access(report.parent, os.W_OK)):
        raise UsageError(f"{report} cannot be written", hint="Name a file in a folder of yours.")
    settled = access.read_settings(options.given(url=url, gacl=gacl, col=col, app=app))
    named = settled.pairs if settled.named else ()
    with signals.raised(), _source(from_, settled, into, scratch) as source:
        if keep:
            copy, server = backup.kept_copy(source, scratch)
            options.say(f"the copy stays; reach it with: {copy.address.psql}")
            options.say(f"end it with: {server.ending}")
            found = backup.rehearse(copy, to, named, say=options.say)
        else:
            with backup.temporary_copy(source, scratch) as copy:
                found = backup.rehearse(copy, to, named, say=options.say)
    if as_json:
        render.write_json(backup.report_json(found))
    else:
        typer.echo("\n".join(backup.report_lines(found)))
    if report:
        with translated(BackupFailed, "the report could not be written"):
            report.write_text(backup.report_page(found), encoding="utf-8")
    raise typer.Exit(0 if found.succeeds else 1)


@contextmanager
def _source(
    named: str | None, settled: Settings, into: Path | None, scratch: Path | None
) -> Iterator[Backup]:
    """Give the backup that was named, or a new one, for this block, of a database."""
    if named and "://" not in named and "=" not in named:
        if into is None:
            raise UsageError(
                f"the folder that holds the backup {named!r} is not known",
                hint=f"Give --into DIR, or set {options.BACKUPS}.",
            )
        with backup.stored_backup(into, named) as source:
            yield source
        return
    address = (
        conninfo.parse(named, source="--from")
        if named
        else access.address(settled, say=options.say)
    )
    with backup.new_backup(address, scratch) as source:
        yield source
