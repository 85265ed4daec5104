"""The pytest plugin, sample data, and tests of every path through the chain.

pytest loads `plugin` in every project of the environment: this module and that one import nothing
but pytest before they are used.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collec_migrations.testing.path_report import ServerResult

__all__ = ["ServerResult", "as_junit", "path_report", "sample_data", "try_paths"]


def try_paths(
    majors: Sequence[int], *, starts: Sequence[str], rows: int, say: Callable[[str], None]
) -> "tuple[ServerResult, ...]":
    """Try each path from a start to the newest version and back, on a server of each major.

    No majors: all of this machine. No starts: every version. `say` is called in other processes.
    Raises `ServerFailed` for a major that is not here, `UnknownVersion` for a start.
    """
    from collec_migrations.testing import paths

    servers = paths.chosen_servers(majors)
    return paths.try_all(servers, paths.chosen_paths(rows, starts), say=say)


def as_junit(found: "Sequence[ServerResult]") -> str:
    """Return what was found as a JUnit XML file, which CI services read."""
    from collec_migrations.testing import path_report

    return path_report.as_junit(found)
