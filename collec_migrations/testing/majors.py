"""On which majors of PostgreSQL tests run."""

import pytest

from collec_migrations.errors import MigrationError
from collec_migrations.postgres import binaries
from collec_migrations.testing import plugin


def chosen(config: pytest.Config) -> tuple[int, ...]:
    """Return the majors that `collec_majors` tells: `all`, or a list as 15,17,18.

    Raises `pytest.UsageError` for what is no such list, or does not fit a given server.
    """
    told = plugin.told(config, "collec_majors")
    if plugin.told(config, "collec_server"):
        raise pytest.UsageError("collec_majors does not go with collec_server: that has one major")
    if told == "all":
        return tuple(sorted({one.major for one in binaries.at_hand()}))
    try:
        found = tuple(int(one) for one in told.split(","))
        for major in found:
            binaries.find(major)
    except ValueError:
        raise pytest.UsageError(f"collec_majors is a list as 15,17,18, not {told!r}") from None
    except MigrationError as error:
        raise pytest.UsageError(f"collec_majors: {error}. {error.hint}") from None
    return found


def is_parametrised(item: pytest.Item, argument: str) -> bool:
    """Tell whether a test itself says which values an argument takes."""
    return any(
        argument in (names.split(",") if isinstance(names, str) else names)
        for mark in item.iter_markers("parametrize")
        for names in mark.args[:1]
    )
