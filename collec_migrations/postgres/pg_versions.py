"""What differs between the majors of PostgreSQL, from 9.4 on, as data.

Source: `pg_versions.json`, measured on 15, 17 and 18 and read in the documentation for the others;
a row without a last major holds for all that come. `end_of_life`, the date of the last minor
release, has a row for each major that is known: one more row there is all that a new one needs
which brings no difference. Until then it is taken for the newest, with a line of warning.
"""

import json
import sys
from functools import cache
from importlib.resources import files

from collec_migrations.errors import ServerTooOld


def of(version: int) -> str:
    """Return the major of a `server_version_num`; raise ServerTooOld before 9.4."""
    if version < 90400:
        raise ServerTooOld(
            f"the server is PostgreSQL {version // 10000}.{version // 100 % 100}, older than 9.4",
            hint="Move the databases to a newer server first, with its own pg_dump.",
        )
    return str(version // 10000) if version >= 100000 else f"9.{version // 100 % 100}"


def number_of(version: str) -> float:
    """Return the major of a release as a number to compare: 9.6 of `9.6.24`, 15 of `15.4`."""
    first, _, rest = version.partition(".")
    return int(first) if int(first) >= 10 else float(f"{first}.{rest.partition('.')[0] or 0}")


def is_newer(major: str) -> bool:
    """Tell whether a major came after all that are known; it is taken for the newest."""
    return major.isdigit() and int(major) > int(KNOWN[-1])


@cache
def warn_if_newer(version: int) -> None:
    """Say once in a process that a server is newer than all that are known."""
    if is_newer(str(version // 10000)):
        sys.stderr.write(
            f"warning: PostgreSQL {version // 10000} is newer than this release knows;"
            f" it is taken for {KNOWN[-1]}\n"
        )


def text(name: str, major: str) -> str | None:
    """Return a name or value of a major, or None where that major has none."""
    value = _value(name, major)
    return None if value is None else str(value)


def holds(name: str, major: str) -> bool:
    """Return whether something is so on a major."""
    return bool(_value(name, major))


def server_has(version: int, name: str) -> bool:
    """Return whether something is so on a server, by its `server_version_num`."""
    return holds(name, of(version))


def _value(name: str, major: str) -> object:
    at = _position(major)
    for first, last, value in _table()[name]:
        if KNOWN.index(first) <= at and (last is None or at <= KNOWN.index(last)):
            return value
    raise KeyError(f"{name} of PostgreSQL {major}")


def _position(major: str) -> int:
    return len(KNOWN) - 1 if is_newer(major) else KNOWN.index(major)


@cache
def _table() -> dict[str, list[tuple[str, str | None, object]]]:
    content = files("collec_migrations.data").joinpath("pg_versions.json").read_text("utf-8")
    table: dict[str, list[tuple[str, str | None, object]]] = json.loads(content)
    return table


KNOWN = tuple(first for first, _, _ in _table()["end_of_life"])
"""The majors that the data covers, oldest first."""
