"""The commands of backups: take, list, verify, restore, prune, schedule."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations import backup, settings
from collec_migrations.cli import options, progress, render
from collec_migrations.cli.group import group
from collec_migrations.cli.render import backup as shown
from collec_migrations.errors import BackupFailed, MigrationError, UsageError
from collec_migrations.migrate import access
from collec_migrations.postgres import connection, conninfo
from collec_migrations.postgres.connection import translated

app = group("Take, verify, restore and keep backups.")
KEEP = "7,5,12"
ACCOUNT = "postgres"
"""The account that takes backups where root or nobody owns their folder."""
PROGRAMS = ("pitr", "debian", "pgbackrest", "barman")
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


@app.command()
def run(
    into: options.Into,
    url: options.Url = None,
    app: options.App = None,
    database: options.Database = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All but templates.")] = False,
    jobs: options.Jobs = 1,
    keep: options.Keep = KEEP,
    bin_dir: options.BinDir = None,
    send: options.Offsite = None,
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
    policy = _policy(keep)
    found = access.read_settings(options.given(url=url, app=app))
    how = backup.BackupOptions(into=into, jobs=jobs, bin_dir=bin_dir, lock_wait=found.lock_wait)
    address = access.address(found, say=options.say)
    try:
        names = backup.databases(
            address, database=database, all_of_them=all_of_them, say=options.say
        )
    except MigrationError as error:
        backup.log_failure(into, error, lambda _: None)  # the error itself is shown
        raise
    after = (lambda made: backup.send_offsite(send, into / made.id),) if send is not None else ()
    with progress.watched() as (say, advance):
        done = backup.run(address, names, how, policy, after=after, say=say, advance=advance)
    if as_json:
        render.write_json(shown.outcome_json(done))
    else:
        for one in done.made:
            typer.echo(one.id)
    fell = any(one.falls for one in done.made)
    raise typer.Exit(3 if done.failed else 1 if fell else 0)


@app.command("list")
def list_(
    into: options.Into,
    id_: Annotated[
        str, typer.Argument(metavar="[ID]", help="Show what is known of this one, or of `last`.")
    ] = "",
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """List the backups, oldest first, and what is none though it looks like one.

    Exit status: 1 when there is no backup.
    """
    if id_:
        found = _chosen(into, id_, database, app)
        if as_json:
            render.write_json(shown.as_json(found))
        else:
            typer.echo("\n".join(shown.page(found)))
        return
    whole, broken = backup.backups(into)
    if as_json:
        render.write_json(
            {
                "backups": [shown.as_json(one) for one in whole],
                "broken": [{"id": one.id, "why": one.why} for one in broken],
            }
        )
    else:
        typer.echo("\n".join(shown.table(whole, broken)))
    raise typer.Exit(0 if whole else 1)


@app.command()
def verify(
    id_: options.Backup,
    into: options.Into,
    server: Annotated[
        int | None, typer.Option("--server", help="Try it on this major of PostgreSQL.")
    ] = None,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Check every file, restore the backup into a server made for it, and compare.

    Exit status: 1 when the backup is damaged.
    """
    found = _chosen(into, id_, database, app)
    result = backup.verify(found, major=server, scratch=options.folder_in(options.SCRATCH))
    if as_json:
        render.write_json({"id": found.id, "sound": result.is_sound, **asdict(result)})
    else:
        typer.echo("\n".join(shown.verified(found, result)))
    raise typer.Exit(0 if result.is_sound else 1)


@app.command()
def restore(
    id_: options.Backup,
    into: options.Into,
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
    any_encoding: Annotated[
        bool, typer.Option("--any-encoding", help="Also into another encoding than the backup's.")
    ] = False,
    bin_dir: options.BinDir = None,
    database: options.Database = None,
    app: options.App = None,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Restore a backup into an empty database, all or nothing."""
    options.need_consent(plan=plan, yes=yes)
    order = backup.RestoreOptions(
        target=conninfo.parse(to, source="--to"),
        schemas=tuple(schema or ()),
        renamed=dict(_pair(text) for text in rename or ()),
        create_roles=create_roles,
        any_encoding=any_encoding,
        bin_dir=bin_dir,
    )
    found = _chosen(into, id_, database, app)
    if yes:  # the checks of a plan are the restore's own first ones
        options.say(shown.restoring(found))
    else:
        planned = backup.plan_restore(found, order)
        if as_json and plan:
            render.write_json({"backup": found.id, **asdict(planned)})
        else:
            for line in shown.restore_plan(found, planned):
                typer.echo(line, err=not plan)
        if plan:
            return
        options.ask_consent("Restore it?", yes=yes)
    done = backup.restore(found, order, say=options.say)
    if as_json:
        render.write_json(asdict(done))
        return
    typer.echo(f"restored {done.rows:,} rows in {done.tables} tables into {done.database!r}")


@app.command()
def prune(
    into: options.Into,
    ids: Annotated[
        list[str] | None, typer.Argument(help="Remove these, whatever they are.")
    ] = None,
    keep: options.Keep = KEEP,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Remove what is too old, or the backups that are named.

    Exit status: 75 when another run is at work.
    """
    policy = _policy(keep)
    options.need_consent(plan=plan, yes=yes)
    backup.check_there(into)
    with translated(BackupFailed, "nothing more was removed"), backup.locked(into):
        there = () if ids else backup.backups(into)[0]
        fallen = [one for one in there if one.is_fallen]
        gone = _named(into, ids) if ids else [one.id for one in backup.expired(there, policy)]
        if not as_json:
            for name in gone:
                typer.echo(name)
            if not gone:
                options.say("nothing to remove")
        for one in fallen:
            for fall in one.manifest.falls:
                options.say(f"rows fell in {one.id}: {fall}")
        if plan:
            if as_json:
                render.write_json({"expired": gone})
            return
        if gone or fallen:
            options.ask_consent("Remove these, and accept the falls?", yes=yes)
        for one in fallen:
            backup.accept(one)
        kept = {one: why for one in gone if (why := backup.remove(into, one))}
    for name, why in kept.items():
        options.say(f"kept {name}: {why}")
    if as_json:
        render.write_json({"removed": [one for one in gone if one not in kept], "kept": list(kept)})


@app.command()
def schedule(
    into: options.IntoIfAny = None,
    at: Annotated[str, typer.Option("--at", help="Time of the day.")] = "20:00",
    url: options.Url = None,
    app: options.App = None,
    jobs: options.Jobs = 1,
    keep: options.Keep = KEEP,
    send_to: options.Offsite = None,
    tool: Annotated[
        str,
        typer.Option(
            "--tool",
            help="systemd; cron; pitr, debian, pgbackrest or barman for point-in-time recovery.",
        ),
    ] = "systemd",
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Install what runs a backup of all databases every night, as the owner of the folder.

    With another `--tool` than systemd, print a checked configuration for it; write nothing.

    Exit status: 1 when something has to change before that configuration is of use.
    """
    if tool not in ("systemd", "cron", *PROGRAMS):
        raise UsageError(
            f"{tool!r} runs no backups", hint=f"Known: systemd, cron, {', '.join(PROGRAMS)}."
        )
    if tool in PROGRAMS:
        raise typer.Exit(_advise(url, app, tool, as_json=as_json))
    if into is None:
        raise UsageError("no folder for the backups is named",
                         hint=f"Give --into DIR, or set {options.BACKUPS}.")  # fmt: skip
    hour, minute = backup.parse_time(at)
    is_cron = tool == "cron"
    options.need_consent(plan=plan or is_cron, yes=yes)
    words = _nightly_command(into, url, app)
    _policy(keep)
    words += ("--keep", keep) if keep != KEEP else ()
    words += ("--jobs", str(jobs)) if jobs != 1 else ()
    if send_to is not None:
        backup.offsite_words(send_to, into)
        words += ("--offsite", send_to)
    account = ACCOUNT
    if into.exists() and into.stat().st_uid != 0:
        account = into.owner()
    planned = backup.Schedule(command=words, hour=hour, minute=minute, user=account)
    texts = {"crontab": backup.cron_line(planned)} if is_cron else backup.units(planned)
    written: Sequence[Path] = ()
    if not (plan or is_cron):
        backup.refuse_without_systemd(planned)
        _check_access(into, url, app, account)
        if not yes:
            for path, text in texts.items():
                options.say(f"# {path}\n{text}")
        options.ask_consent("Install these?", yes=yes)
        written = backup.install(planned)
    if as_json:
        render.write_json({"texts": texts, "written": list(written)})
    elif is_cron:
        typer.echo(texts["crontab"], nl=False)
    elif written:
        typer.echo("\n".join(map(str, written)))
    else:
        for path, text in texts.items():
            typer.echo(f"# {path}\n{text}")


def _advise(url: str | None, app: Path | None, tool: str, *, as_json: bool) -> int:
    """Print the configuration of a program for point-in-time recovery; return the exit status."""
    address = access.address(access.read_settings(options.given(url=url, app=app)), say=options.say)
    advice = backup.advise_recovery(address, None if tool == "pitr" else tool)
    if as_json:
        render.write_json({"text": advice.text, "problems": list(advice.problems)})
    else:
        typer.echo(advice.text, nl=False)
    for problem in advice.problems:
        options.say(f"to change first: {problem}")
    return 1 if advice.problems else 0


def _check_access(into: Path, url: str | None, app: Path | None, user: str) -> None:
    """Connect once and look at the folder, before anything is written: the night has no reader."""
    address = access.address(access.read_settings(options.given(url=url, app=app)), say=options.say)
    with connection.acting_as(user if os.geteuid() == 0 else ""):
        backup.databases(address, database=None, all_of_them=True, say=options.say)
        backup.prepare(into)
        if not os.access(into, os.W_OK | os.X_OK, effective_ids=True):
            raise UsageError(
                f"{user} may not write into {into}", hint=f"Give it the folder: chown {user} {into}"
            )


def _nightly_command(into: Path, url: str | None, app: Path | None) -> tuple[str, ...]:
    """Return the command that the night runs; refuse a password, which all could read there."""
    program = shutil.which(sys.argv[0]) or shutil.which("collec-migrations") or sys.argv[0]
    words = [str(Path(program).resolve()), "backup", "run", "--into", str(into.resolve())]
    folder = app or os.environ.get(settings.APP)
    if folder and not url:
        return (*words, "--app", str(Path(folder).resolve()))
    words.insert(3, "--all")
    text = url or os.environ.get("COLLEC_DATABASE_URL", "")
    # Neither systemd nor cron passes on the variables of whoever sets it up.
    carried = {key: value for key, name in CARRIED.items() if (value := os.environ.get(name))}
    address = (
        conninfo.parse(text, source="the address")
        if text
        else conninfo.Address(str(make_dsn(**{"dbname": "postgres", **carried})))
    )
    if address.password:
        raise UsageError(
            "the address holds a password, which must not stand in a unit or crontab",
            hint="Put it into ~/.pgpass of that account (mode 0600) and leave it out here.",
        )
    return (*words, "--url", address.shown)


def _named(into: Path, ids: list[str]) -> list[str]:
    """Return folders that are backups, or look like one, by their whole names."""
    whole, broken = backup.backups(into)
    there = {one.id for one in whole} | {one.id for one in broken}
    for one in ids:
        if one not in there:
            raise UsageError(f"no backup {one!r} in {into}", hint="Give the whole id.")
    return ids


def _policy(keep: str) -> backup.Policy:
    try:
        daily, weekly, monthly = map(int, keep.split(","))
        if min(daily, weekly, monthly) < 0:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"--keep {keep!r} is not three numbers", hint=f"Days, weeks and months: {KEEP}."
        ) from None
    return backup.Policy(daily=daily, weekly=weekly, monthly=monthly)


def _chosen(into: Path, id_: str, database: str | None, app: Path | None) -> backup.Backup:
    """Return the backup that is meant; `last` is the last of the database that was named."""
    if id_ == "last" and not database:
        address = access.read_settings(options.given(app=app)).address
        database = str(parse_dsn(address.dsn).get("dbname", "")) if address else ""
    return backup.find(into, id_, database=(database or "") if id_ == "last" else "")


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise UsageError(f"--rename {text!r} is not OLD=NEW")
    return old, new
