"""`collec-migrations init`: an alembic.ini for the chain of this package."""

from pathlib import Path

import typer

from collec_migrations import versions
from collec_migrations.cli import options, render
from collec_migrations.errors import UsageError

INI = Path("alembic.ini")
TEXT = """\
[alembic]
script_location = collec_migrations:migrate/alembic
version_locations = {chain}:%(here)s/collec-versions
path_separator = os

# Where the database is. Left out: the application (COLLEC_APP), COLLEC_DATABASE_URL, libpq's
# variables (PGHOST, PGSERVICE ...), else a server of this folder's own, with its data in .collec/.
# sqlalchemy.url = postgresql://collec@localhost/collec

# Names of the schemas; several data schemas are separated by commas.
# collec.gacl = gacl
# collec.col = col

[loggers]
keys = root, alembic

[handlers]
keys = stderr

[formatters]
keys = short

[logger_root]
level = WARNING
handlers = stderr

[logger_alembic]
level = INFO
handlers =
qualname = alembic.runtime.migration

[handler_stderr]
class = StreamHandler
args = (sys.stderr,)
formatter = short

[formatter_short]
format = %(message)s
"""


def init(as_json: options.Json = False) -> None:
    """Write alembic.ini into this folder, so that `alembic` itself knows the chain."""
    chain = str(versions.versions_folder()).replace("%", "%%")
    try:
        with INI.open("x", encoding="utf-8") as file:
            file.write(TEXT.replace("{chain}", chain))
    except FileExistsError:
        raise UsageError(
            f"there is an {INI} here already", hint="Move it away, or work in another folder."
        ) from None
    except OSError as error:
        raise UsageError(f"{INI} cannot be written: {error.strerror}") from error
    if as_json:
        render.write_json({"written": INI})
        return
    typer.echo(f"wrote {INI}; next: alembic upgrade head")
