"""The commands of backups: take, list, show, verify, restore, prune, and what a site sets up."""

import json
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import access
from collec_migrations.backup import running, store
from collec_migrations.backup.dump import Wish
from collec_migrations.backup.retention import Policy
from collec_migrations.cli import backup_text, options
from collec_migrations.errors import UsageError

app = typer.Typer(
    help="Take, verify, restore and keep backups.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Into = Annotated[
    Path,
    typer.Option("--into", envvar="COLLEC_BACKUP_DIR", help="The folder that holds the backups."),
]
Id = Annotated[str, typer.Argument(help="A backup, the beginning of its id, or `last`.")]
BinDir = Annotated[
    Path | None, typer.Option("--bindir", help="Folder of pg_dump, when it is not found.")
]
Daily = Annotated[int, typer.Option("--keep-daily", min=0, help="Days to keep.")]
Weekly = Annotated[int, typer.Option("--keep-weekly", min=0, help="Weeks to keep.")]
Monthly = Annotated[int, typer.Option("--keep-monthly", min=0, help="Months to keep.")]
DEFAULT = Policy()


@app.command()
def run(
    into: Into,
    url: options.Url = None,
    database: Annotated[str | None, typer.Option("--database", help="This database.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All but templates.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Dump so many tables at once.")] = 1,
    keep_daily: Daily = DEFAULT.daily,
    keep_weekly: Weekly = DEFAULT.weekly,
    keep_monthly: Monthly = DEFAULT.monthly,
    bin_dir: BinDir = None,
    lock_wait: Annotated[
        float, typer.Option("--lock-wait", min=0, help="Seconds to wait for a locked table.")
    ] = 60,
    as_json: options.Json = False,
) -> None:
    """Back up one database or all, then remove what is too old."""
    if database and all_of_them:
        raise UsageError("--database and --all cannot be given together")
    wish = Wish(into=into, jobs=jobs, bin_dir=bin_dir, lock_wait=lock_wait)
    policy = Policy(daily=keep_daily, weekly=keep_weekly, monthly=keep_monthly)
    address = access.address(access.told(options.given(url=url)), say=_say)
    names = running.names_on(address, database=database, all_of_them=all_of_them)
    with backup_text.watched() as (say, advance):
        done = running.run(address, names, wish, policy, say=say, advance=advance)
    if as_json:
        typer.echo(json.dumps(backup_text.outcome_json(done), indent=1))
    else:
        for one in done.made:
            typer.echo(one.id)
    raise typer.Exit(3 if done.failed else 0)


@app.command("list")
def list_(into: Into, as_json: options.Json = False) -> None:
    """List the backups, oldest first, and what is none though it looks like one."""
    whole, broken = store.backups(into)
    if as_json:
        facts = {
            "backups": [backup_text.as_json(one) for one in whole],
            "broken": [{"id": one.id, "why": one.why} for one in broken],
        }
        typer.echo(json.dumps(facts, indent=1))
    else:
        typer.echo("\n".join(backup_text.table(whole, broken)))
    raise typer.Exit(0 if whole else 1)


@app.command()
def show(id_: Id, into: Into, as_json: options.Json = False) -> None:
    """Show what is known of a backup."""
    found = store.find(into, id_)
    if as_json:
        typer.echo(json.dumps(backup_text.as_json(found), indent=1))
    else:
        typer.echo("\n".join(backup_text.told(found)))


def _say(message: str) -> None:
    typer.echo(message, err=True)
