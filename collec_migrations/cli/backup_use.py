"""The commands for backups that are there: verify, restore, prune."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import backup
from collec_migrations.cli import backup_options, backup_text, options, render
from collec_migrations.errors import BackupFailed, UsageError
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.connection import translated

DEFAULT = backup.Policy()


def verify(
    id_: backup_options.Id,
    into: backup_options.Into,
    major: Annotated[
        int | None, typer.Option("--major", help="Try it in a server of this major version.")
    ] = None,
    scratch: Annotated[
        Path | None, typer.Option("--scratch", help="Folder for the trial restore.")
    ] = None,
    database: backup_options.Database = None,
    app: backup_options.App = None,
    as_json: options.Json = False,
) -> None:
    """Check every file, restore the backup into a server made for it, and compare.

    Exit status: 1 when the backup is damaged.
    """
    found = backup_options.chosen(into, id_, database, app)
    result = backup.verify(found, major=major, scratch=scratch)
    if as_json:
        render.write_json({"id": found.id, "sound": result.is_sound, **asdict(result)})
    else:
        typer.echo("\n".join(backup_text.verified(found, result)))
    raise typer.Exit(0 if result.is_sound else 1)


def restore(
    id_: backup_options.Id,
    into: backup_options.Into,
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
    bin_dir: backup_options.BinDir = None,
    database: backup_options.Database = None,
    app: backup_options.App = None,
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
    found = backup_options.chosen(into, id_, database, app)
    if yes:  # the checks of a plan are the restore's own first ones
        options.say(backup_text.restoring(found))
    else:
        planned = backup.plan_restore(found, order)
        if as_json and plan:
            render.write_json({"backup": found.id, **asdict(planned)})
        else:
            for line in backup_text.restore_plan(found, planned):
                typer.echo(line, err=not plan)
        if plan:
            return
        options.ask_consent("Restore it?", yes=yes)
    done = backup.restore(found, order, say=options.say)
    if as_json:
        render.write_json(asdict(done))
        return
    typer.echo(f"restored {done.rows:,} rows in {done.tables} tables into {done.database!r}")


def prune(
    into: backup_options.Into,
    ids: Annotated[
        list[str] | None, typer.Argument(help="Remove these, whatever they are.")
    ] = None,
    keep_daily: backup_options.Daily = DEFAULT.daily,
    keep_weekly: backup_options.Weekly = DEFAULT.weekly,
    keep_monthly: backup_options.Monthly = DEFAULT.monthly,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Remove what is too old, or the backups that are named.

    Exit status: 75 when another run is at work.
    """
    policy = backup.Policy(daily=keep_daily, weekly=keep_weekly, monthly=keep_monthly)
    options.need_consent(plan=plan, yes=yes)
    backup.check_there(into)
    with translated(BackupFailed, "nothing more was removed"), backup.locked(into):
        there = () if ids else backup.backups(into)[0]
        fallen = [one for one in there if one.is_fallen]
        chosen = (
            _named(into, ids) if ids else tuple(one.id for one in backup.expired(there, policy))
        )
        if not as_json:
            _list(chosen)
        for one in fallen:
            for fall in one.manifest.falls:
                options.say(f"rows fell in {one.id}: {fall}")
        if plan:
            if as_json:
                render.write_json({"expired": list(chosen)})
            return
        if chosen or fallen:
            options.ask_consent("Remove these, and accept the falls?", yes=yes)
        for one in fallen:
            backup.accept(one)
        kept = {one: why for one in chosen if (why := backup.remove(into, one))}
    for name, why in kept.items():
        options.say(f"kept {name}: {why}")
    if as_json:
        render.write_json(
            {"removed": [one for one in chosen if one not in kept], "kept": list(kept)}
        )


def _list(chosen: Sequence[str]) -> None:
    """Show what is to be removed."""
    for one in chosen:
        typer.echo(one)
    if not chosen:
        options.say("nothing to remove")


def _named(into: Path, ids: list[str]) -> list[str]:
    """Return folders that are backups, or look like one, by their whole names."""
    whole, broken = backup.backups(into)
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
