"""`collec-migrations adopt`: put a recognised database under Alembic's care."""

from typing import Annotated

import typer

from collec_migrations import versions
from collec_migrations import versions as chain
from collec_migrations.bridge import adoption
from collec_migrations.cli import facts, options, place
from collec_migrations.errors import UsageError
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection


def adopt(
    version: Annotated[
        str | None,
        typer.Argument(
            help="The version, if it must be said.", autocompletion=options.known_versions
        ),
    ] = None,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    as_json: options.Json = False,
    repair: Annotated[bool, typer.Option("--repair", help="Mend first.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take the version that is given, whatever is seen.")
    ] = False,
) -> None:
    """Write the version that is seen as Alembic's own, and a row of history.

    Exit status: 1 when the database is not soundly that version.
    """
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    every: list[adoption.Adoption] = []
    with place.opened(where) as session:
        for names in place.pairs_in(session, where):
            done = _adopted(session, names, version, repair=repair, force=force)
            session.commit()
            every.append(done)
            if not as_json:
                typer.echo(_told(done))
    if as_json:
        facts.write({"schemas": [_facts(one) for one in every]})


def _adopted(
    session: Connection, names: Names, version: str | None, *, repair: bool, force: bool
) -> adoption.Adoption:
    if force and version is None:
        raise UsageError("--force needs a version", hint="Say which: adopt VERSION --force.")
    if force and version is not None:
        return adoption.adopt_forced(session, names, version)
    if repair:
        return adoption.adopt_mended(session, names, version)
    return adoption.adopt(session, names, version)


def _facts(done: adoption.Adoption) -> facts.Facts:
    return {
        "gacl": done.names.gacl,
        "col": done.names.col,
        "version": done.version,
        "already": done.already,
        "forced": done.forced or None,
        "mended": [one.sentence for one in done.mended],
        "left": [one.sentence for one in done.left],
    }


def _told(done: adoption.Adoption) -> str:
    was = "was adopted before" if done.already else "is adopted"
    lines = [f"schema {done.names.col!r} {was} as version {done.version}."]
    lines += [f"  mended: {one.sentence}" for one in done.mended]
    lines += [f"  left: {one.sentence}" for one in done.left]
    lines += [f"  {done.forced}"] if done.forced else []
    known = chain.in_chain()
    if done.version not in versions.VERSIONS:
        return "\n".join(lines)
    if known and versions.position(done.version) > versions.position(known[-1]):
        lines.append(
            f"It is newer than {known[-1]}, the newest version that this tool migrates; the "
            "scripts of later versions can be wrapped as revisions."
        )
    elif known and done.version != known[-1]:
        lines.append(f"Next: alembic upgrade head   brings it to {known[-1]}.")
    return "\n".join(lines)
