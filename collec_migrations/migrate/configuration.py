"""Alembic's configuration for the tool's own commands: the same engine as `alembic`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from alembic.util import CommandError

from collec_migrations import trust, versions
from collec_migrations.errors import MigrationError
from collec_migrations.migrate.access import LOCATION


def alembic_config(options: Mapping[str, str], *, say: Callable[[str], None]) -> Config:
    """Return the configuration of alembic.ini in this folder if it is ours, else the built-in.

    `options` are what `alembic -x name=value` takes; `say` gets what is told beside results.
    """
    config = _own_ini(Path("alembic.ini")) or _built_in()
    _add_site_folder(config)
    config.attributes["collec"] = dict(options)
    config.attributes["say"] = say
    return config


@contextmanager
def errors_unwrapped() -> Iterator[None]:
    """Raise what env.py reported through Alembic as the `MigrationError` that it was."""
    try:
        yield
    except CommandError as error:
        if isinstance(error.__cause__, MigrationError):
            raise error.__cause__ from None
        raise MigrationError(str(error)) from error


def _own_ini(path: Path) -> Config | None:
    if not path.is_file():
        return None
    trust.check(path)
    config = Config(str(path))
    return config if config.get_main_option("script_location") == LOCATION else None


def _add_site_folder(config: Config) -> None:
    """Let Alembic read the wrapped versions of the current folder beside those it reads already."""
    site = versions.site_folder().resolve()
    if not site.is_dir():
        return
    trust.check(site)  # Alembic runs every Python file in it
    folders = config.get_version_locations_list() or [str(versions.versions_folder())]
    if site not in [Path(folder).resolve() for folder in folders]:
        listed = "\n".join((*folders, str(site))).replace("%", "%%")
        config.set_main_option("version_locations", listed)
        config.set_main_option("path_separator", "newline")


def _built_in() -> Config:
    config = Config()
    config.set_main_option("script_location", LOCATION)
    config.set_main_option("version_locations", str(versions.versions_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config
