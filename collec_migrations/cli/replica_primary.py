"""`replica primary`: what a primary lacks for a standby."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import options, render
from collec_migrations.migrate import access
from collec_migrations.postgres import connection, quoting
from collec_migrations.replica import PrimaryPlan, PrimaryResult

SECRETS = Path("replica.pgpass")


def primary_(
    standby: Annotated[
        str, typer.Option("--standby", help="Address from which the standby will come.")
    ],
    url: options.Url = None,
    app: options.App = None,
    passfile: Annotated[
        Path, typer.Option("--passfile", help="Where new passwords are kept, mode 0600.")
    ] = SECRETS,
    new_passwords: Annotated[
        bool, typer.Option("--new-passwords", help="Give the roles new passwords in any case.")
    ] = False,
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Make a server ready to have a standby: tell all that it lacks, and why, then write it.

    Exit status: 1 when something is missing.
    """
    options.need_consent(plan=plan, yes=yes)
    connect = connection.administrator(access.told(options.given(url=url, app=app)).address).connect
    if not yes:
        found = replica.plan_primary(connect, standby, passfile.absolute())
        if as_json:
            render.write_json(_plan_facts(found))
        else:
            typer.echo("\n".join(_planned(found)))
        if plan or found.is_ready:
            raise typer.Exit(0 if found.is_ready else 1)
        options.ask_consent("Write this?", yes=False)
    done = replica.prepare_primary(
        connect, standby, passfile.absolute(), new_passwords=new_passwords, say=options.say
    )
    if as_json:
        render.write_json(_done_facts(done))
    else:
        typer.echo("\n".join(_done(done, passfile.absolute())))
    raise typer.Exit(3 if done.failures else 0 if done.after.is_ready else 1)


def _planned(found: PrimaryPlan) -> Iterator[str]:
    release = found.primary.version_text.split(" ")[1]
    yield f"primary: PostgreSQL {release}; standby: {found.standby}"
    yield from _missing(found)
    yield from (f"note: {note}" for note in found.notes)
    if found.settings:
        yield f"settings ({replica.CONF}.conf in conf.d, else in postgresql.conf):"
        yield from (
            f"  {name} = {quoting.configuration_value(value)}"
            for name, value in found.settings.items()
        )
    if not found.lets_in:
        yield "above all rules of pg_hba.conf:"
        yield from (f"  {line}" for line in found.access.lines)
    if found.is_ready:
        yield "nothing is missing"
        return
    due = ", ".join(found.restart)
    yield f"a restart is due for {due}" if due else "no restart is needed"
    yield "the server is never restarted by this"


def _missing(found: PrimaryPlan) -> Iterator[str]:
    for one in found.findings:
        yield f"missing: {one.what}"
        yield f"         {one.why}"
    for role in found.roles:
        yield f"missing: role {role.name} ({role.attributes})"
        yield f"         {role.why}"
    for name in found.weak:
        yield f"missing: the password of {name} is kept as MD5"
        yield "         it is easy to break; a new one is made"
    if found.lets_in is False:
        yield f"missing: pg_hba.conf does not let {found.standby} in by password"
        yield "         the standby could not connect"


def _done(done: PrimaryResult, secrets: Path) -> Iterator[str]:
    if done.settings:
        yield f"wrote {done.settings}"
    if done.access:
        yield f"wrote {done.access}"
    if done.passwords:
        yield f"copy {secrets} to the standby's machine, mode 0600, for the server's account"
    for failure in done.failures:
        yield f"by hand: {failure}"
        yield from (f"  {line}" for line in failure.hint.splitlines())
    waiting = {name for name, one in done.after.primary.settings.items() if one.pending}
    due = [one for one in done.after.findings if one.setting and one.setting[0] in waiting]
    if waiting:
        yield f"restart PostgreSQL: {', '.join(sorted(waiting))} (in force only then)"
    rest = tuple(one for one in done.after.findings if one not in due)
    yield from _missing(replace(done.after, findings=rest))
    yield from (f"note: {note}" for note in done.after.notes)
    if done.after.is_ready:
        yield "the primary is ready; on the standby's machine: collec-migrations replica clone"


def _plan_facts(found: PrimaryPlan) -> render.Facts:
    return {
        "ready": found.is_ready,
        "standby": found.standby,
        "missing": [{"what": one.what, "why": one.why} for one in found.findings],
        "roles": [{"name": one.name, "why": one.why} for one in found.roles],
        "weak_passwords": list(found.weak),
        "settings": dict(found.settings),
        "restart": list(found.restart),
        "lets_in": found.lets_in,
        "access": list(found.access.lines),
        "notes": list(found.notes),
    }


def _done_facts(done: PrimaryResult) -> render.Facts:
    return {
        "passwords": list(done.passwords),
        "settings": done.settings,
        "access": done.access,
        "failures": [{"message": str(one), "hint": one.hint} for one in done.failures],
        "after": _plan_facts(done.after),
    }
