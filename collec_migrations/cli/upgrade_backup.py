"""A backup before an upgrade: nothing is touched without it, and a failure says how to use it."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from collec_migrations.backup import runs
from collec_migrations.backup.dump import Wish
from collec_migrations.errors import MigrationError
from collec_migrations.migrate import access

Say = Callable[[str], None]


@contextmanager
def before(
    options: Mapping[str, str], version: str, into: Path | None, *, say: Say
) -> Iterator[str]:
    """Take a backup into a folder, when one is given, before the block runs; give a remark."""
    if into is None:
        yield ""
        return
    id_ = _taken(options, version, into, say)
    try:
        yield f"backup {id_}"
    except MigrationError as error:
        restore = f"collec-migrations backup restore {id_} --into {shlex.quote(str(into))}"
        error.hint = (
            f"{error.hint} A backup was taken before: "
            f"`{restore} --to ADDRESS_OF_A_NEW_DATABASE` brings it back."
        ).strip()
        raise


def _taken(options: Mapping[str, str], version: str, into: Path, say: Say) -> str:
    """Return the id of a new backup; raise why there is none."""
    address = access.address(access.told(options), say=say)
    names = runs.names_on(address, database=None, all_of_them=False, say=say)
    wish = Wish(into=into, reason=f"before the upgrade to {version}")
    outcome = runs.run(address, names, wish, None, say=say, advance=lambda *_: None)
    for failure in outcome.failed:
        raise failure.error
    return outcome.made[0].id
