"""The commands that set a site up: schedule, offsite, pitr."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import make_dsn

from collec_migrations import backup, settings
from collec_migrations.cli import backup_options, options, render
from collec_migrations.errors import UsageError
from collec_migrations.migrate import access
from collec_migrations.postgres import connection, conninfo

DEFAULT = backup.Policy()
CARRIED = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
    "sslmode": "PGSSLMODE",
}
"""Variables of libpq that tell where a server is; none of them holds a password."""


def schedule(
    into: backup_options.Into,
    at: Annotated[str, typer.Option("--at", help="Time of the day.")] = "20:00",
    url: options.Url = None,
    app: options.App = None,
    jobs: backup_options.Jobs = 1,
    keep_daily: backup_options.Daily = DEFAULT.daily,
    keep_weekly: backup_options.Weekly = DEFAULT.weekly,
    keep_monthly: backup_options.Monthly = DEFAULT.monthly,
    send_to: backup_options.Offsite = None,
    user: Annotated[str, typer.Option("--user", help="The account that it runs as.")] = "postgres",
    cron: Annotated[bool, typer.Option("--cron", help="A line for crontab instead.")] = False,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Install what runs a backup of all databases every night; or print it: `--plan`, `--cron`."""
    hour, minute = backup.parse_time(at)
    if cron and yes:
        raise UsageError("--cron and --yes cannot be given together")
    options.need_consent(plan=plan or cron, yes=yes)
    words = _command(into, url, app)
    policy = backup.Policy(daily=keep_daily, weekly=keep_weekly, monthly=keep_monthly)
    for name in ("daily", "weekly", "monthly"):
        if getattr(policy, name) != getattr(DEFAULT, name):
            words += (f"--keep-{name}", str(getattr(policy, name)))
    words += ("--jobs", str(jobs)) if jobs != 1 else ()
    if send_to is not None:
        backup.offsite_words(send_to, into)
        words += ("--offsite", send_to)
    planned = backup.Schedule(command=words, hour=hour, minute=minute, user=user)
    texts = {"crontab": backup.cron_line(planned)} if cron else backup.units(planned)
    written: Sequence[Path] = ()
    if not (plan or cron):
        backup.refuse_without_systemd(planned)
        _check(into, url, app, user)
        if not yes:
            for path, text in texts.items():
                options.say(f"# {path}\n{text}")
        options.ask_consent("Install these?", yes=yes)
        written = backup.install(planned)
    if as_json:
        render.write_json({"texts": texts, "written": list(written)})
    elif cron:
        typer.echo(texts["crontab"], nl=False)
    elif written:
        typer.echo("\n".join(map(str, written)))
    else:
        for path, text in texts.items():
            typer.echo(f"# {path}\n{text}")


def point_in_time(
    url: options.Url = None,
    app: options.App = None,
    tool: Annotated[
        str | None, typer.Option("--tool", help="debian, pgbackrest or barman; else what is here.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Print a checked configuration for point-in-time recovery by a program made for it.

    Exit status: 1 when something has to change first.
    """
    address = access.address(access.told(options.given(url=url, app=app)), say=options.say)
    advice = backup.advise_recovery(address, tool)
    if as_json:
        render.write_json({"text": advice.text, "problems": list(advice.problems)})
    else:
        typer.echo(advice.text, nl=False)
    for problem in advice.problems:
        options.say(f"to change first: {problem}")
    raise typer.Exit(1 if advice.problems else 0)


def _check(into: Path, url: str | None, app: Path | None, user: str) -> None:
    """Connect once and look at the folder, before anything is written: the night has no reader."""
    address = access.address(access.told(options.given(url=url, app=app)), say=options.say)
    with connection.acting_as(user if os.geteuid() == 0 else ""):
        backup.databases(address, database=None, all_of_them=True, say=options.say)
        backup.prepare(into)
        if not os.access(into, os.W_OK | os.X_OK, effective_ids=True):
            raise UsageError(
                f"{user} may not write into {into}", hint=f"Give it the folder: chown {user} {into}"
            )


def _command(into: Path, url: str | None, app: Path | None) -> tuple[str, ...]:
    """Return the command that the night runs; refuse a password, which all could read there."""
    program = shutil.which(sys.argv[0]) or shutil.which("collec-migrations") or sys.argv[0]
    words = [str(Path(program).resolve()), "backup", "run", "--into", str(into.resolve())]
    folder = app or os.environ.get(settings.APP)
    if folder and not url:
        return (*words, "--app", str(Path(folder).resolve()))
    words.insert(3, "--all")
    text = url or os.environ.get("COLLEC_DATABASE_URL", "")
    # Neither systemd nor cron passes on the variables of whoever sets it up.
    told = {key: value for key, name in CARRIED.items() if (value := os.environ.get(name))}
    address = (
        conninfo.parse(text, source="the address")
        if text
        else conninfo.Address(str(make_dsn(**{"dbname": "postgres", **told})))
    )
    if address.password:
        raise UsageError(
            "the address holds a password, which must not stand in a unit or crontab",
            hint="Put it into ~/.pgpass of that account (mode 0600) and leave it out here.",
        )
    return (*words, "--url", address.shown)
