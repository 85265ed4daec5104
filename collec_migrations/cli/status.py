"""`collec-migrations status`: where this machine stands, and the next command to type."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import typer
from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations import application, versions
from collec_migrations import backup as room
from collec_migrations.application import Installation
from collec_migrations.bridge import Answer, Detection, detect, find
from collec_migrations.cli import options, place, render
from collec_migrations.errors import MigrationError
from collec_migrations.migrate import access
from collec_migrations.names import Names
from collec_migrations.postgres import cluster, connection, embedded
from collec_migrations.postgres.conninfo import Address
from collec_migrations.settings import Settings

STANDBYS = (
    "select application_name, state from pg_catalog.pg_stat_replication"
    " where state operator(pg_catalog.=) 'streaming' order by application_name"
)
OTHERS = (
    "select datname from pg_catalog.pg_database where datallowconn and not datistemplate"
    " and datname operator(pg_catalog.<>) pg_catalog.current_database() order by datname"
)
WIDTH = 13


@dataclass(kw_only=True)
class Site:
    """What was found out; empty where nothing is there."""

    application: Installation | None = None
    usual: tuple[Path, ...] = ()
    """Applications in the usual places, when none was named."""
    address: Address | None = None
    trouble: str = ""
    """Why the database does not answer."""
    hint: str = ""
    server: str = ""
    schemas: list[Detection] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    """Those of the server, where none was named and the default one holds nothing of ours."""
    standbys: list[str] = field(default_factory=list)
    is_standby: bool = False
    backup: room.Backup | None = None
    backups: str = ""
    """The folder of the backups."""


def status(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Tell where this machine stands, and the next command to type; start nothing."""
    found = access.read_settings(options.given(url=url, gacl=gacl, col=col, app=app))
    site = _look(found)
    command = _next(site, place.repeated(url, app))
    if as_json:
        render.write_json(_facts(site, command))
    else:
        typer.echo("\n".join(_lines(site)))
        typer.echo(_line("next", render.typable(command or site.hint or "nothing to do")))


def _look(given: Settings) -> Site:
    site = Site(application=given.application, backups=os.environ.get(options.BACKUPS, ""))
    if given.application is None:
        site.usual = application.installed()
    site.address = given.address or _embedded()
    if site.address is not None:
        try:
            with connection.connect(site.address) as session:
                _read(site, session, given)
        except (MigrationError, connection.Error) as error:
            site.trouble = str(error).splitlines()[0]
            site.hint = error.hint if isinstance(error, MigrationError) else ""
    if site.backups and Path(site.backups).is_dir():
        whole, _ = room.backups(Path(site.backups))
        site.backup = whole[-1] if whole else None
    return site


def _embedded() -> Address | None:
    """Return the address of this folder's own server, when it runs."""
    found = embedded.find(Path.cwd())
    running = cluster.address(found) if found else None
    return Address(running.dsn) if running else None


def _read(site: Site, session: connection.Connection, given: Settings) -> None:
    session.set_session(readonly=True)
    number = session.server_version
    release = f"{number // 10000}.{number % 10000}"
    site.server = f"{session.info.dbname} on {session.info.host or 'the local socket'}"
    site.server += f":{session.info.port}, PostgreSQL {release}"
    expected = given.application.expected if given.application else ""
    pairs: tuple[Names, ...] = given.pairs if given.named else find(session).pairs
    site.schemas = [detect(session, one, expected=expected) for one in pairs]
    with session.cursor() as cursor:
        cursor.execute("select pg_catalog.pg_is_in_recovery()")
        site.is_standby = bool((cursor.fetchone() or (False,))[0])
        cursor.execute(STANDBYS)
        site.standbys = [str(name) for name, _ in cursor.fetchall()]
        is_named = site.address and "dbname" in parse_dsn(site.address.dsn)
        if not is_named and all(one.answer is Answer.EMPTY for one in site.schemas):
            cursor.execute(OTHERS)
            site.databases = [str(name) for (name,) in cursor.fetchall()]


def _lines(site: Site) -> Iterator[str]:
    yield _line("application", _application(site))
    yield _line("database", _database(site))
    for one in site.schemas:
        yield _line("schemas", f"{one.names.col}, rights in {one.names.gacl}: {_version(one)}")
        behind = _pending(one)
        if behind:
            yield _line("pending", f"{len(behind)} versions: {behind[0]} to {behind[-1]}"
                        if len(behind) > 1 else behind[0])  # fmt: skip
    if site.databases:
        yield _line("databases", f"nothing of ours here; others: {', '.join(site.databases)}")
    yield _line("backup", _backup(site))
    if site.server:
        streaming = f"streaming to {', '.join(site.standbys)}" if site.standbys else "none streams"
        yield _line("standby", "this server is one" if site.is_standby else streaming)


def _line(title: str, text: str) -> str:
    return f"{title:{WIDTH}} {text}"


def _application(site: Site) -> str:
    said = site.application
    if said is not None:
        release = f"release {said.release}" if said.release else "release unknown"
        return f"{said.folder}: {release}, asks for {said.expected or 'a version it does not say'}"
    if len(site.usual) == 1:
        return f"not named; there is one in {site.usual[0]}"
    return f"not named; there are {len(site.usual)} in the usual places" if site.usual else "none"


def _database(site: Site) -> str:
    if site.trouble:
        return site.trouble
    return site.server or "none is named, and no server of this folder runs"


def _version(one: Detection) -> str:
    if one.answer in (Answer.EMPTY, Answer.ONLY_GACL):
        return "empty"
    seen = one.version or " or ".join(one.versions) or "not a version of Collec-Science"
    adopted = ", ".join(one.records.alembic)
    state = "" if one.is_sound else ", with differences"
    return f"{seen}{state}, {f'Alembic says {adopted}' if adopted else 'not adopted'}"


def _pending(one: Detection) -> tuple[str, ...]:
    """Return the versions of the chain after the one that Alembic says."""
    chain = versions.in_chain()
    at = one.records.alembic[0] if one.records.alembic else one.version
    return chain[chain.index(at) + 1 :] if at in chain else ()


def _backup(site: Site) -> str:
    if not site.backups:
        return f"no folder is named ({options.BACKUPS})"
    if site.backup is None:
        return f"none in {site.backups}"
    taken = site.backup.manifest.started
    age = datetime.now(UTC) - taken
    hours = age.total_seconds() / 3600
    ago = f"{hours:.0f} hours ago" if hours < 48 else f"{hours / 24:.0f} days ago"
    tried = site.backup.verdict or "never tried"
    return f"{taken.astimezone():%Y-%m-%d %H:%M}, {ago}, {tried}"


def _next(site: Site, repeated: str) -> str:
    """Return the command to type now; nothing when all is well."""
    words = ["collec-migrations"]
    if site.address is None:
        if len(site.usual) == 1:
            return shlex.join([*words, "status", "--app", str(site.usual[0])])
        if embedded.find(Path.cwd()) is not None:
            return "collec-migrations server start"
        return "collec-migrations install --plan"
    if site.trouble:
        return ""
    if site.databases:
        return shlex.join([*words, "status", "--url", _on(site.address, site.databases[0])])
    if not site.schemas or all(one.answer is Answer.EMPTY for one in site.schemas):
        return f"collec-migrations upgrade --plan {repeated}".strip()
    for one in site.schemas:
        if not one.records.alembic:
            return f"collec-migrations adopt {repeated}".strip()
        if not one.is_sound:
            return f"collec-migrations verify {repeated}".strip()
    if any(_pending(one) for one in site.schemas):
        return f"collec-migrations upgrade --plan {repeated}".strip()
    if site.backups and (site.backup is None or not site.backup.verdict):
        rest = "verify last" if site.backup else "run"
        return f"collec-migrations backup {rest}"
    return ""


def _on(address: Address, database: str) -> str:
    """Return the address of another database, without a password."""
    parts = {**parse_dsn(address.dsn), "dbname": database}
    return str(make_dsn(**{name: text for name, text in parts.items() if name != "password"}))


def _facts(site: Site, command: str) -> render.Facts:
    said = site.application
    return {
        "application": {
            "folder": said.folder, "release": said.release, "expected": said.expected
        } if said else None,
        "applications": [str(one) for one in site.usual],
        "database": site.address.shown if site.address else None,
        "server": site.server or None,
        "trouble": site.trouble or None,
        "databases": site.databases,
        "schemas": [
            {
                "gacl": one.names.gacl,
                "col": one.names.col,
                "observed": one.version,
                "alembic": list(one.records.alembic),
                "dbversion": list(one.records.numbers),
                "sound": one.is_sound,
                "pending": list(_pending(one)),
            }
            for one in site.schemas
        ],
        "backup": {
            "id": site.backup.id,
            "taken": site.backup.manifest.started.isoformat(),
            "verdict": site.backup.verdict or None,
        } if site.backup else None,
        "standbys": site.standbys,
        "is_standby": site.is_standby,
        "next": command or None,
    }  # fmt: skip
