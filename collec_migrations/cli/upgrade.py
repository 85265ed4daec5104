"""`collec-migrations upgrade`: show the plan, ask, take a backup where there is no way back."""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from collec_migrations.cli import options, render
from collec_migrations.errors import (
    BackupDamaged,
    BackupMissing,
    ChainBroken,
    MigrationError,
    UsageError,
)
from collec_migrations.migrate import access, up_to_date

if TYPE_CHECKING:
    from collec_migrations.migrate.planned import Plan


def upgrade(
    version: options.Target = "head",
    plan: options.Plan = False,
    yes: options.Yes = False,
    details: options.Details = False,
    as_json: options.Json = False,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    without_postgis: options.WithoutPostgis = False,
    drop_dependents: options.DropDependents = False,
    backup: Annotated[
        Path | None,
        typer.Option(
            "--backup",
            help="Take a backup into this folder first; before a wrapped step, verify it.",
        ),
    ] = None,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Take none, not even before a wrapped step.")
    ] = False,
) -> None:
    """Bring the database to a version, all or nothing.

    Exit status: 1 when the question is answered with no.
    """
    given = options.given(
        url=url,
        gacl=gacl,
        col=col,
        app=app,
        without_postgis=without_postgis,
        drop_dependents=drop_dependents,
    )
    options.need_consent(plan=plan, yes=yes)
    if backup and no_backup:
        raise UsageError("--backup and --no-backup cannot be given together")
    from collec_migrations.migrate import verbs

    folder = options.app_folder(app)
    if folder is not None and version == "head":
        _offer_scripts(folder, plan=plan, yes=yes)
    if not plan:
        verbs.ensure_server(given, say=options.say)
    found = verbs.plan(given, version, say=options.say)
    version = up_to_date.target(version, found.settings)
    if plan:
        if as_json:
            from collec_migrations.cli.render import plan as shown

            render.write_json(shown.facts(found))
        else:
            typer.echo("\n".join(_shown(found, details=details)))
        return
    if not yes and not found.is_empty:
        options.say("\n".join(_shown(found, details=details)))
        options.ask_consent("Upgrade now?", yes=False)
    order = decided(found, backup, no_backup=no_backup)
    with backed_up(given, version, order, say=options.say) as remark:
        _run(given, version, found, remark=remark, as_json=as_json)


def _offer_scripts(app: Path, *, plan: bool, yes: bool) -> None:
    """Say which steps the application brings that no version has, and wrap them where wanted."""
    from collec_migrations import wrap

    folder = wrap.of_application(app)
    if folder is None:
        return
    try:
        found = wrap.survey([folder])
    except ChainBroken as error:
        options.say(f"warning: {error}")
        return
    for one in found.added:
        names = ", ".join(path.name for path in one.step.files)
        options.say(f"{folder} has a step to {one.step.new} that is no version yet: {names}")
    if found.added and plan:
        options.say(f"the plan leaves it out; see `collec-migrations wrap {folder}`")
    elif found.added and (yes or typer.confirm("Make versions of them?", err=True)):
        wrap.write(found)
        options.say(f"written to {found.folder}")


def _shown(found: "Plan", *, details: bool) -> list[str]:
    """Return the plan's plain words, and its details where they are wanted."""
    from collec_migrations.cli.render import plan as shown

    return [*shown.plain_words(found), *(shown.details(found) if details else ())]


def _run(
    given: Mapping[str, str], version: str, found: "Plan", *, remark: str, as_json: bool
) -> None:
    before = {pair.names.col: pair.recorded for pair in found.pairs}
    started = time.monotonic()
    reached: Mapping[str, str | None] = before
    if not found.is_empty:
        reached, has_run = _reached(given, version, found, remark=remark)
        # Another run may have done it since the plan: who ran nothing does not say that it did.
        before = before if has_run else {**reached}
    seconds = time.monotonic() - started
    if as_json:
        schemas = [
            {"col": col, "from": before[col], "to": now, "changed": before[col] != now}
            for col, now in reached.items()
        ]
        render.write_json({"schemas": schemas, "seconds": round(seconds, 3)})
        return
    for col, now in reached.items():
        typer.echo(_result(col, before[col], now, seconds))


def _reached(
    given: Mapping[str, str], version: str, found: "Plan", *, remark: str
) -> tuple[Mapping[str, str | None], bool]:
    """Run the upgrade; return what each data schema is at, and whether this run did anything."""
    from collec_migrations.cli import progress
    from collec_migrations.cli.render.plan import weights
    from collec_migrations.migrate import preconditions, verbs

    preconditions.refuse(found.obstacles)
    with progress.watcher(weights(found)) as watcher:
        now = verbs.upgrade(given, version, say=watcher.say, progress=watcher, remark=remark)
    return now, watcher.has_run


def _result(col: str, before: str | None, now: str | None, seconds: float) -> str:
    if before == now:
        return f"{col}: nothing to do, it is at {now}"
    if before is None:
        return f"{col}: installed at {now} in {seconds:.1f} s"
    return f"{col}: upgraded from {before} to {now} in {seconds:.1f} s"


Say = Callable[[str], None]


class Order(NamedTuple):
    """Where a backup goes, and whether it has to be restored for a trial."""

    into: Path | None
    verified: bool
    remark: str
    """What the history is told where there is none."""


def decided(found: "Plan", into: Path | None, *, no_backup: bool) -> Order:
    """Return which backup a plan needs; raise `BackupMissing` where none was named.

    From a step by a script of the application's own there is no other way back.
    """
    holds_something = any(pair.recorded for pair in found.pairs)
    if not (found.is_wrapped and holds_something):
        return Order(None if found.is_empty else into, verified=False, remark="")
    if no_backup:
        # Alembic and SQLAlchemy are loaded by now: there is something to do.
        from collec_migrations.migrate.wrapped_step import NO_BACKUP

        return Order(None, verified=False, remark=NO_BACKUP)
    into = into or options.folder_in(options.BACKUPS)
    if into is None:
        raise BackupMissing(
            "a script of the application's own is to run, from which no downgrade leads back,"
            " and there is no folder for a backup",
            hint=f"Give --backup DIR, set {options.BACKUPS}, or say --no-backup.",
        )
    return Order(into, verified=True, remark="")


@contextmanager
def backed_up(given: Mapping[str, str], version: str, order: Order, *, say: Say) -> Iterator[str]:
    """Take a backup, when one is ordered, before the block runs; give a remark."""
    if order.into is None:
        yield order.remark
        return
    id_ = _taken(given, version, order.into, say)
    if order.verified:
        _verify(id_, order.into, say)
    try:
        yield f"backup {id_}"
    except MigrationError as error:
        restore = f"collec-migrations backup restore {id_} --into {shlex.quote(str(order.into))}"
        error.hint = (
            f"{error.hint} A backup was taken before: "
            f"`{restore} --to ADDRESS_OF_A_NEW_DATABASE` brings it back."
        ).strip()
        raise


def _taken(given: Mapping[str, str], version: str, into: Path, say: Say) -> str:
    """Return the id of a new backup; raise why there is none."""
    # A run that takes no backup does not pay for what one needs.
    from collec_migrations import backup

    address = access.address(access.read_settings(given), say=say)
    names = backup.databases(address, database=None, all_of_them=False, say=say)
    how = backup.BackupOptions(into=into, reason=f"before the upgrade to {version}")
    outcome = backup.run(address, names, how, None, say=say, advance=lambda *_: None)
    for failure in outcome.failed:
        raise failure.error
    return outcome.made[0].id


def _verify(id_: str, into: Path, say: Say) -> None:
    """Restore the backup into a server made for it; raise `BackupDamaged` unless it is whole."""
    from collec_migrations import backup

    found = backup.verify(backup.find(into, id_))
    if not found.is_sound:
        raise BackupDamaged(
            f"the backup {id_} cannot be restored, nothing was upgraded: {found.problems[0]}",
            hint="Look at the disk, and take another one.",
        )
    say(f"verified {id_}: {found.rows:,} rows restored in {found.seconds:.1f} s")
