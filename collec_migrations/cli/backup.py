"""The commands of backups: take, list, show, verify, restore, prune, and what a site sets up."""

from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import backup
from collec_migrations.cli import (
    backup_options,
    backup_site,
    backup_text,
    backup_use,
    options,
    progress,
    render,
)
from collec_migrations.cli.group import group
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.migrate import access
from collec_migrations.postgres import conninfo

app = group("Take, verify, restore and keep backups.")
DEFAULT = backup.Policy()


@app.command()
def run(
    into: backup_options.Into,
    url: options.Url = None,
    app: options.App = None,
    database: Annotated[str | None, typer.Option("--database", help="This database.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All but templates.")] = False,
    jobs: backup_options.Jobs = 1,
    keep_daily: backup_options.Daily = DEFAULT.daily,
    keep_weekly: backup_options.Weekly = DEFAULT.weekly,
    keep_monthly: backup_options.Monthly = DEFAULT.monthly,
    bin_dir: backup_options.BinDir = None,
    lock_wait: Annotated[
        float, typer.Option("--lock-wait", min=0, help="Seconds to wait for a locked table.")
    ] = 60,
    send: backup_options.Offsite = None,
    analyze: Annotated[bool, typer.Option("--analyze", help="ANALYZE afterwards.")] = False,
    as_json: options.Json = False,
) -> None:
    """Back up one database or all, then remove what is too old.

    Exit status: 1 when the rows of a database fell by a half or more (nothing of it is removed
    then), 3 when a database or the off-site command failed, 75 when another
    run is at work.
    """
    if database and all_of_them:
        raise UsageError("--database and --all cannot be given together")
    if send is not None:
        backup.offsite_words(send, into)
    how = backup.BackupOptions(into=into, jobs=jobs, bin_dir=bin_dir, lock_wait=lock_wait)
    policy = backup.Policy(daily=keep_daily, weekly=keep_weekly, monthly=keep_monthly)
    address = access.address(access.told(options.given(url=url, app=app)), say=options.say)
    try:
        names = backup.databases(
            address, database=database, all_of_them=all_of_them, say=options.say
        )
    except MigrationError as error:
        backup.log_failure(into, error, _quiet)
        raise
    with progress.watched() as (say, advance):
        done = backup.run(
            address,
            names,
            how,
            policy,
            after=_after(address, into, send, analyze),
            say=say,
            advance=advance,
        )
    if as_json:
        render.write_json(backup_text.outcome_json(done))
    else:
        for one in done.made:
            typer.echo(one.id)
    fell = any(one.falls for one in done.made)
    raise typer.Exit(3 if done.failed else 1 if fell else 0)


def _quiet(_: str) -> None:
    """Say nothing: the error itself is shown."""


def _after(
    address: conninfo.Address, into: Path, send: str | None, analyze: bool
) -> tuple[backup.Task, ...]:
    """Return what is to be done after each backup."""
    tasks: list[backup.Task] = []
    if send is not None:
        tasks.append(lambda made: backup.send_offsite(send, into / made.id))
    if analyze:
        tasks.append(lambda made: backup.analyze(backup.on_database(address, made.database)))
    return tuple(tasks)


@app.command("list")
def list_(
    into: backup_options.Into,
    id_: Annotated[
        str, typer.Argument(metavar="[ID]", help="Show what is known of this one, or of `last`.")
    ] = "",
    database: backup_options.Database = None,
    app: backup_options.App = None,
    as_json: options.Json = False,
) -> None:
    """List the backups, oldest first, and what is none though it looks like one.

    Exit status: 1 when there is no backup.
    """
    if id_:
        found = backup_options.chosen(into, id_, database, app)
        shown = "\n".join(backup_text.told(found))
        render.write_json(backup_text.as_json(found)) if as_json else typer.echo(shown)
        return
    whole, broken = backup.backups(into)
    if as_json:
        render.write_json(
            {
                "backups": [backup_text.as_json(one) for one in whole],
                "broken": [{"id": one.id, "why": one.why} for one in broken],
            }
        )
    else:
        typer.echo("\n".join(backup_text.table(whole, broken)))
    raise typer.Exit(0 if whole else 1)


app.command("verify")(backup_use.verify)
app.command("restore")(backup_use.restore)
app.command("prune")(backup_use.prune)
app.command("schedule")(backup_site.schedule)
app.command("pitr")(backup_site.point_in_time)
