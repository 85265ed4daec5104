"""The commands of backups: take, list, show, verify, restore, prune, and what a site sets up."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import access, addresses
from collec_migrations.backup import libpq, lock, offsite, restoring, running, source, store, trial
from collec_migrations.backup.dump import Wish
from collec_migrations.backup.faults import translated
from collec_migrations.backup.restoring import Order
from collec_migrations.backup.retention import Policy
from collec_migrations.cli import backup_site, backup_text, options
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
app.command("schedule")(backup_site.schedule)
app.command("offsite")(backup_site.send)
app.command("pitr")(backup_site.point_in_time)


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
    send: Annotated[
        str | None,
        typer.Option("--offsite", envvar="COLLEC_BACKUP_OFFSITE", help="Command run afterwards."),
    ] = None,
    analyze: Annotated[bool, typer.Option("--analyze", help="ANALYZE afterwards.")] = False,
    as_json: options.Json = False,
) -> None:
    """Back up one database or all, then remove what is too old."""
    if database and all_of_them:
        raise UsageError("--database and --all cannot be given together")
    if send is not None:
        offsite.words(send, into)
    wish = Wish(into=into, jobs=jobs, bin_dir=bin_dir, lock_wait=lock_wait)
    policy = Policy(daily=keep_daily, weekly=keep_weekly, monthly=keep_monthly)
    address = access.address(access.told(options.given(url=url)), say=_say)
    names = running.names_on(address, database=database, all_of_them=all_of_them)
    with backup_text.watched() as (say, advance):
        done = running.run(
            address,
            names,
            wish,
            policy,
            after=_after(address, into, send, analyze),
            say=say,
            advance=advance,
        )
    if as_json:
        typer.echo(json.dumps(backup_text.outcome_json(done), indent=1))
    else:
        for one in done.made:
            typer.echo(one.id)
    raise typer.Exit(3 if done.failed else 0)


def _after(
    address: addresses.Address, into: Path, send: str | None, analyze: bool
) -> tuple[running.Task, ...]:
    """Return what is to be done after each backup."""
    tasks: list[running.Task] = []
    if send is not None:
        tasks.append(lambda made: offsite.send(send, into / made.id))
    if analyze:
        tasks.append(lambda made: source.analyze(libpq.to(address, made.database)))
    return tuple(tasks)


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


@app.command()
def verify(
    id_: Id,
    into: Into,
    scratch: Annotated[
        Path | None, typer.Option("--scratch", help="Folder for the trial restore.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Check every file, restore the backup into a server made for it, and compare."""
    found = store.find(into, id_)
    result = trial.verify(found, scratch=scratch)
    if as_json:
        typer.echo(json.dumps({"id": found.id, **asdict(result)}, indent=1))
    else:
        typer.echo("\n".join(backup_text.verified(found, result)))
    raise typer.Exit(0 if result.is_sound else 1)


@app.command()
def restore(
    id_: Id,
    into: Into,
    to: Annotated[str, typer.Option("--to", help="Address of an empty database.")],
    schema: Annotated[
        list[str] | None, typer.Option("--schema", help="Only this schema; may be repeated.")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option("--rename", help="OLD=NEW: rename a schema.")
    ] = None,
    create_roles: Annotated[
        bool, typer.Option("--create-roles", help="Make the roles that are missing.")
    ] = False,
    bin_dir: BinDir = None,
) -> None:
    """Restore a backup into an empty database, all or nothing."""
    order = Order(
        target=addresses.parse(to, source="--to"),
        schemas=tuple(schema or ()),
        renamed=dict(_pair(text) for text in rename or ()),
        create_roles=create_roles,
        bin_dir=bin_dir,
    )
    done = restoring.restore(store.find(into, id_), order, say=_say)
    typer.echo(f"restored {done.rows:,} rows in {done.tables} tables into {done.database!r}")


@app.command()
def prune(
    into: Into,
    ids: Annotated[
        list[str] | None, typer.Argument(help="Remove these, whatever they are.")
    ] = None,
    keep_daily: Daily = DEFAULT.daily,
    keep_weekly: Weekly = DEFAULT.weekly,
    keep_monthly: Monthly = DEFAULT.monthly,
    yes: options.Yes = False,
) -> None:
    """Remove what is too old, or the backups that are named."""
    policy = Policy(daily=keep_daily, weekly=keep_weekly, monthly=keep_monthly)
    with translated("nothing more was removed"), lock.held(into):
        chosen = _named(into, ids) if ids else running.superfluous(into, policy)
        for one in chosen:
            typer.echo(one)
        if not chosen:
            _say("nothing to remove")
            return
        if not yes:
            raise UsageError("nothing was removed", hint="Add --yes to remove these.")
        for one in chosen:
            if not store.remove(into, one):
                _say(f"kept {one}: it is being read")


def _named(into: Path, ids: list[str]) -> list[str]:
    """Return folders that are backups, or look like one, by their whole names."""
    whole, broken = store.backups(into)
    there = {one.id for one in whole} | {one.id for one in broken}
    for one in ids:
        if one not in there:
            raise UsageError(f"no backup {one!r} in {into}", hint="Give the whole id.")
    return ids


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise UsageError(f"--rename {text!r} is not OLD=NEW")
    return old, new


def _say(message: str) -> None:
    typer.echo(message, err=True)
