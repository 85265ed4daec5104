"""Options that several commands share."""

from typing import Annotated

import typer

from collec_migrations import versions
from collec_migrations import versions as chain
from collec_migrations.cli import facts

Url = Annotated[
    str | None, typer.Option("--url", help="Address of the database (else COLLEC_DATABASE_URL).")
]
Gacl = Annotated[str | None, typer.Option("--gacl", help="Name of the rights schema.")]
Col = Annotated[str | None, typer.Option("--col", help="Name of the data schema; several: a,b,c.")]
ApplicationCode = Annotated[
    str | None,
    typer.Option("--application-code", help="The application's code in the table of rights."),
]
Transaction = Annotated[
    str | None,
    typer.Option(
        "--transaction", help="per-run: all or nothing; per-version: commit after each version."
    ),
]
LockWait = Annotated[
    str | None, typer.Option("--lock-wait", help="Seconds to wait for another run to end.")
]
LockTimeout = Annotated[
    str | None,
    typer.Option("--lock-timeout", help="Seconds that a statement waits for a lock on a table."),
]
LockRetries = Annotated[
    str | None,
    typer.Option("--lock-retries", help="How often to start again when a lock was not obtained."),
]
Json = Annotated[
    bool,
    typer.Option("--json", callback=facts.remember, help="Write the same facts as JSON."),
]


def chain_versions(incomplete: str) -> list[str]:
    """Return what a version of the chain, or head, may become, for a shell."""
    return [one for one in (*chain.in_chain(), "head") if one.startswith(incomplete)]


def known_versions(incomplete: str) -> list[str]:
    """Return what a known version may become, for a shell."""
    return [one for one in versions.VERSIONS if one.startswith(incomplete)]


Target = Annotated[
    str,
    typer.Argument(help="A version of the chain, or head.", autocompletion=chain_versions),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def given(**options: str | None) -> dict[str, str]:
    """Return the options that were given, as `alembic -x` would hand them on."""
    return {name: value for name, value in options.items() if value is not None}


def say(message: str) -> None:
    """Tell the user something beside the results, on standard error."""
    typer.echo(message, err=True)
