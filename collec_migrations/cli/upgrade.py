"""`collec-migrations upgrade`: bring the database to a version."""

from typing import Annotated

import typer

from collec_migrations.cli import options


def upgrade(
    version: Annotated[str, typer.Argument(help="A version of the chain, or head.")] = "head",
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
) -> None:
    """Bring the database to a version, all or nothing."""
    # Alembic and SQLAlchemy take 0.45 s to import: other commands do not pay for them.
    from collec_migrations.migration import verbs

    verbs.upgrade(options.given(url=url, gacl=gacl, col=col), version, say=_say)


def _say(message: str) -> None:
    typer.echo(message, err=True)
