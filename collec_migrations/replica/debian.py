"""Clusters of Debian: their settings stand in /etc, and they are started by pg_ctlcluster.

A bare `pg_ctl stop` there is undone by systemd, which starts the server again (facts 4.4).
"""

import re
from dataclasses import dataclass
from pathlib import Path

ETC = Path("/etc/postgresql")
DATA = re.compile(r"^\s*data_directory\s*=?\s*'([^']*)'", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Debian:
    """A cluster of postgresql-common."""

    major: str
    name: str
    config: Path
    """Its postgresql.conf."""

    @property
    def shown(self) -> str:
        """The cluster as pg_lsclusters names it."""
        return f"{self.major}/{self.name}"

    def command(self, *words: str) -> tuple[str, ...]:
        """Return the command of pg_ctlcluster that does something with it."""
        return ("pg_ctlcluster", self.major, self.name, *words)


def of(data: Path, etc: Path = ETC) -> Debian | None:
    """Return the cluster that a data folder belongs to, which may not be there; None when none."""
    for config in sorted(etc.glob("*/*/postgresql.conf")):
        try:
            found = DATA.findall(config.read_text("utf-8", "replace"))
        except OSError:
            continue
        if found and Path(found[-1]).resolve() == data.resolve():
            return Debian(major=config.parts[-3], name=config.parts[-2], config=config)
    return None
