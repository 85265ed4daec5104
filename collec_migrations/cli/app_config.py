"""`collec-migrations app-config`: the application's own settings for a database."""

from dataclasses import asdict
from typing import Annotated

import typer
from psycopg2 import extensions
from psycopg2.extensions import make_dsn

from collec_migrations import bridge, versions
from collec_migrations.application import Form, Installation
from collec_migrations.cli import options, place, render
from collec_migrations.errors import ConnectionFailed, UsageError
from collec_migrations.install import application_check
from collec_migrations.install import application_settings as wanted
from collec_migrations.names import Names
from collec_migrations.postgres import connection, conninfo
from collec_migrations.postgres.connection import Connection


def app_config(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare, and connect as the application does.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Print the application's own settings for a database, ready to paste.

    Where the application reaches the server by another name than this command, give that name by
    `--url`. With `--check`, compare the settings and connect.

    Exit status: 1 when `--check` finds a difference.
    """
    said = options.installation(app)
    if check and said is None:
        raise UsageError("--check needs --app", hint="Name the folder of the application.")
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    with place.opened(where) as session:
        session.set_session(readonly=True)
        names = _pair(session, where.pairs, gacl=gacl, col=col, said=said)
        one = bridge.detect(session, names)
        want = _wanted(session, one)
    if check and said is not None:
        raise typer.Exit(_compare(said, want, one, as_json=as_json))
    _print(want, said.form if said else _form(one), as_json=as_json)


def _pair(
    session: Connection,
    named: tuple[Names, ...],
    *,
    gacl: str | None,
    col: str | None,
    said: Installation | None,
) -> Names:
    """Return the pair that was named, that the application uses, or that is there alone."""
    there = bridge.find(session).pairs
    if gacl and col:
        return named[0]
    wanted_names = {"gacl": gacl, "col": col or (said.col[0] if said and said.col else None)}
    found = [
        one
        for one in there
        if wanted_names["gacl"] in (None, one.gacl) and wanted_names["col"] in (None, one.col)
    ]
    if not found and said is not None and not (gacl or col):
        found = list(there)
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.col} (rights: {one.gacl})" for one in there) or "none"
    raise UsageError(
        f"which schemas are meant cannot be told; there are: {known}",
        hint="Name those of this application with --col and --gacl.",
    )


def _wanted(session: Connection, one: bridge.Detection) -> wanted.Wanted:
    owners = bridge.read_owners(session, one.names)
    info = session.info
    with session.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("show listen_addresses")
        listens = bool((cursor.fetchone() or ("",))[0])
    its = info.host or ""
    by_socket = not its or its.startswith("/")
    version = one.versions[-1] if one.versions else ""
    return wanted.Wanted(
        host="localhost" if by_socket and listens else its or "localhost",
        port=str(info.port),
        database=str(info.dbname),
        login=owners.application or str(info.user),
        col=one.names.col,
        gacl=one.names.gacl,
        rights_see_public=_since(version, wanted.FIRST_RIGHTS_PUBLIC),
    )


def _since(version: str, first: str) -> bool:
    return version in versions.VERSIONS and versions.position(version) >= versions.position(first)


def _form(one: bridge.Detection) -> Form:
    modern = _since(one.versions[-1] if one.versions else "", wanted.FIRST_DOTENV)
    return Form.DOTENV if modern else Form.PHP


def _print(want: wanted.Wanted, form: Form, *, as_json: bool) -> None:
    if as_json:
        settings = wanted.settings(want, form)
        render.write_json({"file": form, "settings": settings, "passwords": wanted.passwords(form)})
        return
    comment = "#" if form is Form.DOTENV else "//"
    typer.echo(f"{comment} {form}, at the root of the application")
    typer.echo(wanted.snippet(want, form), nl=False)
    options.say(
        f"In the place of {wanted.PASSWORD}, write the account's password: what `install` wrote"
        " into its password file is the last field there."
    )
    options.say("Then: collec-migrations app-config --check --app DIR   connects as it does.")


def _compare(
    said: Installation, want: wanted.Wanted, one: bridge.Detection, *, as_json: bool
) -> int:
    rows = (
        *application_check.rows(said, want, recorded=one.records.numbers, observed=one.version),
        _connects(said),
    )
    differ = [row for row in rows if not row.same]
    if as_json:
        settings = [asdict(row) for row in rows]
        render.write_json({"same": not differ, "files": said.files, "settings": settings})
        return 1 if differ else 0
    cells = [
        (row.setting, row.application or "-", row.database, "ok" if row.same else "differs")
        for row in rows
    ]
    typer.echo("\n".join(render.table(("SETTING", "APPLICATION", "DATABASE", ""), cells)))
    for hint in _hints({row.setting for row in differ}, said):
        typer.echo(hint)
    return 1 if differ else 0


def _connects(said: Installation) -> application_check.Row:
    """Return whether the application's own account comes in by what its files say."""
    why = "its files do not say where"
    if said.parameters:
        try:
            dsn = str(make_dsn(**said.parameters, hostaddr=""))
            connection.connect(conninfo.Address(dsn)).close()
            why = ""
        except ConnectionFailed as error:
            why = str(error)
    return application_check.Row(
        setting="connects", application=why or "yes", database="yes", same=not why
    )


def _hints(differ: set[str], said: Installation) -> list[str]:
    hints = []
    if differ - {"version", "password", "rights password", "rights in", "connects"}:
        hints.append(f"Next: collec-migrations app-config prints the lines for {said.form}.")
    if differ & {"password", "rights password"}:
        hints.append(f"Next: write the password into {said.form}; this tool never does.")
    if "version" in differ:
        hints.append("Next: collec-migrations detect, then upgrade, or install the right release.")
    return hints
