"""`collec-migrations app-config`: the application's own settings, printed, checked or written."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import detection
from collec_migrations.bridge.answer import Detection
from collec_migrations.bridge.owners import read_owners
from collec_migrations.cli import facts, options, place, table
from collec_migrations.cli.detect import App
from collec_migrations.errors import UsageError
from collec_migrations.install import application
from collec_migrations.install.application import comparison
from collec_migrations.install.application import settings as wanted
from collec_migrations.install.application import write as putting
from collec_migrations.install.application.settings import Form, Wanted
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection


def app_config(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: App = None,
    host: Annotated[
        str, typer.Option("--host", help="The server as the application reaches it.")
    ] = "",
    role: Annotated[str, typer.Option("--role", help="The application's database account.")] = "",
    write: Annotated[bool, typer.Option("--write", help="Write what differs.")] = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Print, check or write the application's own settings for a database.

    Exit status: 1 when what the application says differs.
    """
    if write and app is None:
        raise UsageError("--write needs --app", hint="Name the folder of the application.")
    said = application.read(app, os.environ) if app else None
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    with place.opened(where) as session:
        session.set_session(readonly=True)
        named = where.pairs if gacl or col or said is None else ()
        names = _pair(session, named, said.col if said else ())
        one = detection.detect(session, names)
        want = _wanted(session, one, host=host, role=role)
    if said is None or app is None:
        _print(want, one, as_json=as_json)
        return
    if write:
        _write(app, want, yes=yes)
        said = application.read(app, os.environ)
    raise typer.Exit(_compare(said, want, one, as_json=as_json))


def _pair(session: Connection, named: tuple[Names, ...], said: tuple[str, ...]) -> Names:
    """Return the pair that was named, that the application uses, or that is there alone."""
    found = named or detection.find(session).pairs or (Names(),)
    of_application = [one for one in found if one.col in said[:1]]
    for some in (of_application, found):
        if len(some) == 1:
            return some[0]
    raise UsageError(
        f"there are several data schemas: {', '.join(one.col for one in found)}",
        hint="Name the one of this application with --col.",
    )


def _wanted(session: Connection, one: Detection, *, host: str, role: str) -> Wanted:
    owners = read_owners(session, one.names)
    info = session.info
    with session.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("show listen_addresses")
        listens = bool((cursor.fetchone() or ("",))[0])
    its = info.host or ""
    by_socket = not its or its.startswith("/")
    version = one.versions[-1] if one.versions else ""
    return Wanted(
        host=host or ("localhost" if by_socket and listens else its or "localhost"),
        port=str(info.port),
        database=str(info.dbname),
        login=role or owners.application or str(info.user),
        col=one.names.col,
        gacl=one.names.gacl,
        rights_see_public=_since(version, wanted.FIRST_RIGHTS_PUBLIC),
    )


def _since(version: str, first: str) -> bool:
    return version in versions.VERSIONS and versions.position(version) >= versions.position(first)


def _print(want: Wanted, one: Detection, *, as_json: bool) -> None:
    modern = _since(one.versions[-1] if one.versions else "", wanted.FIRST_DOTENV)
    form = Form.DOTENV if modern else Form.PHP
    if as_json:
        settings = wanted.settings(want, form)
        facts.write({"file": form, "settings": settings, "passwords": wanted.passwords(form)})
        return
    comment = "#" if form is Form.DOTENV else "//"
    typer.echo(f"{comment} {form}, at the root of the application")
    typer.echo(wanted.snippet(want, form), nl=False)
    options.say(f"Write the account's password in the place of {wanted.PASSWORD}.")


def _compare(said: application.Installation, want: Wanted, one: Detection, *, as_json: bool) -> int:
    rows = tuple(
        comparison.rows(said, want, recorded=one.records.numbers, observed=one.version)
    )  # fmt: skip
    differ = [row for row in rows if not row.same]
    if as_json:
        settings = [asdict(row) for row in rows]
        facts.write({"same": not differ, "files": said.files, "settings": settings})
        return 1 if differ else 0
    told = [
        (row.setting, row.application or "-", row.database, "ok" if row.same else "differs")
        for row in rows
    ]
    typer.echo("\n".join(table.lines(("SETTING", "APPLICATION", "DATABASE", ""), told)))
    for hint in _hints({row.setting for row in differ}):
        typer.echo(hint)
    return 1 if differ else 0


def _hints(differ: set[str]) -> list[str]:
    hints = []
    if differ - {"version", "password", "rights password", "rights in"}:
        hints.append("Next: add --write to put the database's values into the application's files.")
    if differ & {"password", "rights password"}:
        hints.append("Next: write the password into the application's file; this tool never does.")
    if "version" in differ:
        hints.append("Next: collec-migrations detect, then upgrade, or install the right release.")
    return hints


def _write(app: Path, want: Wanted, *, yes: bool) -> None:
    found = putting.edits(app, want, os.environ)
    for edit in found:
        options.say(f"to change: {edit.path}")
    if not found:
        options.say("nothing to write")
        return
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError("nothing was written", hint="Add --yes to write without a question.")
        if not typer.confirm("Write now?", err=True):
            options.say("nothing was written")
            raise typer.Exit(1)
    for edit in found:
        copy = putting.put(edit)
        options.say(f"wrote {edit.path}" + (f"; the old one is {copy}" if copy else ""))
