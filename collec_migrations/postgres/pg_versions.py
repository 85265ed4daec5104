"""What differs between the majors of PostgreSQL, 9.4 to 18, as data.

Source: `pg_versions.json`, measured on 15, 17 and 18 and read in the documentation for the others;
`end_of_life` is the date of the last minor release.
"""

import json
from functools import cache
from importlib.resources import files

from collec_migrations.errors import ServerTooOld

KNOWN = ("9.4", "9.5", "9.6", "10", "11", "12", "13", "14", "15", "16", "17", "18")
"""The majors that the data covers, oldest first."""


def of(version: int) -> str:
    """Return the major of a `server_version_num`; one newer than the data counts as the newest.

    Raises MajorUnknown for a server older than 9.4.
    """
    if version < 90400:
        raise ServerTooOld(
            f"the server is PostgreSQL {version // 10000}.{version // 100 % 100}, older than 9.4",
            hint="Move the databases to a newer server first, with its own pg_dump.",
        )
    major = str(version // 10000) if version >= 100000 else f"9.{version // 100 % 100}"
    return major if major in KNOWN else KNOWN[-1]


def text(name: str, major: str) -> str | None:
    """Return a name or value of a major, or None where that major has none."""
    value = _value(name, major)
    return None if value is None else str(value)


def holds(name: str, major: str) -> bool:
    """Return whether something is so on a major."""
    return bool(_value(name, major))


def _value(name: str, major: str) -> object:
    at = KNOWN.index(major)
    for first, last, value in _table()[name]:
        if KNOWN.index(first) <= at <= KNOWN.index(last):
            return value
    raise KeyError(f"{name} of PostgreSQL {major}")


@cache
def _table() -> dict[str, list[tuple[str, str, object]]]:
    content = files("collec_migrations.data").joinpath("pg_versions.json").read_text("utf-8")
    table: dict[str, list[tuple[str, str, object]]] = json.loads(content)
    return table
