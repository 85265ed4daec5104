"""`collec-migrations upgrade`: show what an upgrade would do, ask, do it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collec_migrations.cli import consent, facts, options, upgrade_backup
from collec_migrations.errors import UsageError

if TYPE_CHECKING:
    from collec_migrations.migrate.planned import Plan


def upgrade(
    version: options.Target = "head",
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
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
    given = options.given(url=url, gacl=gacl, col=col, app=app)
    consent.need(plan=plan, yes=yes)
    if backup and no_backup:
        raise UsageError("--backup and --no-backup cannot be given together")
    from collec_migrations.migrate import verbs

    folder = options.app_folder(app)
    if folder is not None and version == "head":
        from collec_migrations.cli import application_scripts

        application_scripts.offer(folder, plan=plan, yes=yes)
    if not plan:
        verbs.ensure_server(given, say=options.say)
    found = verbs.plan(given, version, say=options.say)
    if plan:
        _show(found, as_json=as_json)
        return
    if not yes and not found.is_empty:
        _ask(found)
    order = upgrade_backup.decided(found, backup, no_backup=no_backup)
    with upgrade_backup.before(given, version, order, say=options.say) as remark:
        _run(given, version, found, remark=remark, as_json=as_json)


def _show(found: "Plan", *, as_json: bool) -> None:
    from collec_migrations.cli import plan_json, plan_text

    if as_json:
        facts.write(plan_json.facts(found))
        return
    for line in plan_text.lines(found):
        typer.echo(line)


def _ask(found: "Plan") -> None:
    from collec_migrations.cli import plan_text

    for line in plan_text.lines(found):
        options.say(line)
    consent.ask("Upgrade now?", yes=False)


def _run(
    given: Mapping[str, str], version: str, found: "Plan", *, remark: str, as_json: bool
) -> None:
    before = {pair.names.col: pair.recorded for pair in found.pairs}
    started = time.monotonic()
    reached = before if found.is_empty else _reached(given, version, found, remark=remark)
    seconds = time.monotonic() - started
    if as_json:
        schemas = [
            {"col": col, "from": before[col], "to": now, "changed": before[col] != now}
            for col, now in reached.items()
        ]
        facts.write({"schemas": schemas, "seconds": round(seconds, 3)})
        return
    for col, now in reached.items():
        typer.echo(_result(col, before[col], now, seconds))


def _reached(
    given: Mapping[str, str], version: str, found: "Plan", *, remark: str
) -> Mapping[str, str | None]:
    """Run the upgrade; return what each data schema is at."""
    from collec_migrations.cli import plan_text, watching
    from collec_migrations.migrate import preconditions, verbs

    preconditions.refuse(found.obstacles)
    with watching.watcher(sum(map(plan_text.statements, found.pairs))) as watcher:
        return verbs.upgrade(given, version, say=watcher.say, progress=watcher, remark=remark)


def _result(col: str, before: str | None, now: str | None, seconds: float) -> str:
    if before == now:
        return f"{col}: nothing to do, it is at {now}"
    if before is None:
        return f"{col}: installed at {now} in {seconds:.1f} s"
    return f"{col}: upgraded from {before} to {now} in {seconds:.1f} s"
