"""Options that several commands share."""

from typing import Annotated

import typer

Url = Annotated[
    str | None, typer.Option("--url", help="Address of the database (else COLLEC_DATABASE_URL).")
]
Gacl = Annotated[str | None, typer.Option("--gacl", help="Name of the rights schema.")]
Col = Annotated[str | None, typer.Option("--col", help="Name of the data schema; several: a,b,c.")]


def given(**options: str | None) -> dict[str, str]:
    """Return the options that were given, as `alembic -x` would hand them on."""
    return {name: value for name, value in options.items() if value is not None}
