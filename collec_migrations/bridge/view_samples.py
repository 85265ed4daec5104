"""What a view must return for a few rows: a view is judged by that, not by its text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from collec_migrations import versions

Value = str | int | None
Rows = tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a view of the versions `first` to `last` returns for the sample, sorted."""

    view: str
    first: str
    last: str
    columns: tuple[str, ...]
    rows: Rows

    def covers(self, version: str) -> bool:
        """Say whether this is expected of a version."""
        place = versions.position
        return place(self.first) <= place(version) <= place(self.last)


@cache
def tables() -> Mapping[str, tuple[Mapping[str, Value], ...]]:
    """Return the rows of the sample by table."""
    return {table: tuple(rows) for table, rows in _stored()["tables"].items()}


@cache
def expected() -> tuple[Expected, ...]:
    """Return what is expected of all views whose meaning is known."""
    return tuple(
        Expected(
            view=one["view"],
            first=one["first"],
            last=one["last"],
            columns=tuple(one["columns"]),
            rows=sorted_rows([tuple(row) for row in one["rows"]]),
        )
        for one in _stored()["expected"]
    )


def expected_of(version: str) -> tuple[Expected, ...]:
    """Return what is expected of the views of a version."""
    return tuple(one for one in expected() if one.covers(version))


def sorted_rows(rows: list[tuple[Value, ...]]) -> Rows:
    """Return rows in one order, nulls too."""
    return tuple(sorted(rows, key=str))


@cache
def _stored() -> dict[str, dict]:  # type: ignore[type-arg]  # the file's own form, checked by tests
    path = Path(__file__).parent.parent / "data" / "view_samples.json"
    stored: dict[str, dict] = json.loads(path.read_text(encoding="utf-8"))  # type: ignore[type-arg]  # as above
    return stored
