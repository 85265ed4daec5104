"""`collec-migrations downgrade`: show what goes to the archive, ask, go back."""

import time
from collections.abc import Mapping
from typing import Annotated, NamedTuple

import typer
from psycopg2 import extensions, sql

from collec_migrations import versions
from collec_migrations.bridge import history
from collec_migrations.cli import consent, facts, options, place
from collec_migrations.errors import DowngradeRefused, NotAdopted, UnknownVersion
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection

THERE = (
    "select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname = %s and c.relname = %s and (%s = '' or exists (select from"
    " pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = %s and a.attnum > 0"
    " and not a.attisdropped))"
)


class Back(NamedTuple):
    """What going back does to one data schema."""

    names: Names
    at: str
    target: str
    steps: tuple[str, ...]
    """The versions that are left, newest first."""
    archived: tuple[tuple[str, int], ...]
    """Tables and columns that the lower version does not have, with their rows or values."""


def downgrade(
    version: Annotated[
        str,
        typer.Argument(
            help="A version of the chain, or base.", autocompletion=options.chain_versions
        ),
    ],
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
) -> None:
    """Take the database back to a version, all or nothing; what it lacks is archived.

    Exit status: 1 when the question is answered with no.
    """
    consent.need(plan=plan, yes=yes)
    known = versions.in_chain()
    if version not in (*known, "base"):
        raise UnknownVersion(
            f"{version!r} is not a version of the database",
            hint=f"Versions are {', '.join(known)}; also base.",
        )
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    with place.opened(where) as session:
        session.set_session(readonly=True)
        found = [_back(session, one, version) for one in place.pairs_in(session, where)]
    if not as_json:
        for one in found:
            _tell(one)
    if plan:
        if as_json:
            facts.write({"schemas": [_facts(one) for one in found]})
        return
    if any(one.steps for one in found):
        consent.ask("Go back now?", yes=yes)
    # Alembic and SQLAlchemy take 0.45 s to import: other commands do not pay for them.
    from collec_migrations.migrate import verbs

    started = time.monotonic()
    given = {**options.given(url=url, app=app), **_names([one.names for one in found])}
    verbs.downgrade(given, version, say=options.say)
    seconds = time.monotonic() - started
    if as_json:
        facts.write({"schemas": [_facts(one) for one in found], "seconds": round(seconds, 3)})
        return
    for one in found:
        if one.steps:
            typer.echo(f"{one.names.col}: back from {one.at} to {version} in {seconds:.1f} s")


def _names(pairs: list[Names]) -> Mapping[str, str]:
    quoted = (one.col.replace('"', '""') for one in pairs)
    return {"gacl": pairs[0].gacl, "col": ",".join(f'"{name}"' for name in quoted)}


def _back(session: Connection, names: Names, version: str) -> Back:
    with session.cursor() as cursor:
        at = history.recorded_version(cursor, names.col)
    known = versions.in_chain()
    if at is None:
        raise NotAdopted(
            f"schema {names.col!r} has no version that Alembic knows",
            hint="See `collec-migrations detect`, then `collec-migrations adopt`.",
        )
    place_of = known.index(at) if at in known else -1
    target = known.index(version) if version != "base" else -1
    if place_of < target:
        raise DowngradeRefused(
            f"schema {names.col!r} is at {at}, below {version}",
            hint=f"To go up: collec-migrations upgrade {version}",
        )
    steps = tuple(reversed(known[target + 1 : place_of + 1]))
    archived = tuple(_counted(session, names, at, version)) if steps else ()
    return Back(names, at, version, steps, archived)


def _counted(session: Connection, names: Names, at: str, version: str) -> list[tuple[str, int]]:
    """Return the tables and columns that go, with what they hold."""
    if version == "base" or at not in versions.BUILT_IN:
        return []
    kept = {(one.role, one.kind, one.name) for one in versions.upgraded(version).facts}
    gone = {
        (one.role, one.kind, one.name)
        for one in versions.upgraded(at).facts
        if one.kind in ("table", "column")
    } - kept
    tables = {(role, name) for role, kind, name in gone if kind == "table"}
    found = []
    for role, kind, name in sorted(gone):
        table, _, column = name.partition(".")
        if kind == "column" and (role, table) in tables:
            continue
        schema = names.gacl if role == "gacl" else names.col
        what = (
            sql.SQL("count({})").format(sql.Identifier(column)) if column else sql.SQL("count(*)")
        )
        query = sql.SQL("select pg_catalog.{} from {}")
        with session.cursor(cursor_factory=extensions.cursor) as cursor:
            # What a site lacks is not counted: `object.geom` where there is no PostGIS.
            cursor.execute(THERE, (schema, table, column, column))
            if not cursor.fetchall():
                continue
            cursor.execute(query.format(what, sql.Identifier(schema, table)))
            rows = int((cursor.fetchone() or (0,))[0])
        if rows:
            found.append((f"{schema}.{name}", rows))
    return found


def _tell(one: Back) -> None:
    if not one.steps:
        options.say(f"{one.names.col}: nothing to do, it is at {one.at}")
        return
    options.say(
        f"{one.names.col} (rights in {one.names.gacl}) will go back from {one.at} to {one.target}:"
        f" {len(one.steps)} step{'' if len(one.steps) == 1 else 's'}, in one transaction"
    )
    if one.archived:
        options.say("goes to the archive, from where an upgrade brings it back:")
    for what, rows in one.archived:
        options.say(f"  {what}: {rows:,} {'values' if what.count('.') > 1 else 'rows'}")


def _facts(one: Back) -> facts.Facts:
    return {
        "gacl": one.names.gacl,
        "col": one.names.col,
        "from": one.at,
        "to": one.target,
        "steps": list(one.steps),
        "archived": [{"name": name, "rows": rows} for name, rows in one.archived],
    }
