"""Which step a script is for, told by the name of its file; the order of versions."""

import re
from dataclasses import dataclass
from pathlib import Path

_NUMBER = r"\d+(?:\.\d+)*"
_LAST = r"\d+(?:[.-]\d+)*"
_NAME = re.compile(
    rf"(?P<kind>(?:gacl|col)_alter|upgrade)[-_](?P<old>{_NUMBER})[-_](?P<new>{_LAST})\.sql",
    re.IGNORECASE,
)
"""`col_alter_A-B.sql`; `col_alter-A-B.sql` before 2018; `col_alter_2.6_2.7.sql` in 2.7.0 and
`col_alter_2.3-2-4.sql` in pre-releases; `gacl_alter_A-B.sql`; `upgrade-A-B.sql` in guides."""

RANK = {"upgrade": 0, "gacl_alter": 1, "col_alter": 2}
"""In which order the files of one step run: the application ran gacl's before col's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A script whose file name says which step it is for."""

    path: Path
    kind: str
    """upgrade, gacl_alter or col_alter."""
    old: str
    new: str

    @property
    def step(self) -> tuple[str, str]:
        """The version before and the one after."""
        return self.old, self.new

    @property
    def title(self) -> str:
        """The step as errata name it."""
        return f"{self.old}-{self.new}"


def parse(path: Path) -> Named | None:
    """Return what a file's name says; None when it is not named as an upgrade script."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        return None
    return Named(
        path=path,
        kind=found["kind"].lower(),
        old=found["old"],
        new=found["new"].replace("-", "."),
    )
