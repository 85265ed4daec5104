"""An archive table, and what its comment says: which step, when and from where. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

_COMMENT = re.compile(
    r"Archived by the (?P<step>(?:up|down)grade \S+ -> \S+) on (?P<when>\S+Z) from (?P<source>.+)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an archive table comes from."""

    step: str
    """`upgrade 1.0.8 -> 1.1`."""
    when: datetime
    source: str
    """The table, with its schema, as both were named then."""

    @classmethod
    def parse(cls, comment: str | None) -> "Origin | None":
        """Return what a table's comment says; None for a table that is no archive."""
        found = _COMMENT.fullmatch(comment or "")
        if not found:
            return None
        try:
            when = datetime.fromisoformat(found["when"])
        except ValueError:
            return None
        return cls(step=found["step"], when=when, source=found["source"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A table of an archive schema."""

    schema: str
    table: str
    rows: int
    size: int
    """Bytes on disk, with all that belongs to the table."""
    origin: Origin

    @property
    def shown(self) -> str:
        """The name with its schema, for messages."""
        return f"{self.schema}.{self.table}"
