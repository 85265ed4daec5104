"""The queries of this package: each stands in a file of its own, in `data/queries`."""

from functools import cache
from pathlib import Path

_SQL = Path(__file__).parent.parent / "data" / "queries"


@cache
def statement(name: str) -> str:
    """Return the text of a query of this package, by the name of its file."""
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")
