"""What an installation is to become: names and addresses, checked before anything else. Pure."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import InvalidNames, UsageError
from collec_migrations.names import LONGEST, Names
from collec_migrations.postgres import config_block

RESERVED = ("public", "none")
"""Names that PostgreSQL refuses for a role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An installation as it shall be."""

    database: str
    owner: str
    pairs: tuple[Names, ...]
    version: str = ""
    """The newest version of the chain."""
    networks: tuple[str, ...] = ()
    """From where the account may come beside this machine: networks in CIDR form."""
    passfile: Path | None = None
    apply_hba: bool = False

    @property
    def schemas(self) -> tuple[str, ...]:
        """The rights schema and each data schema."""
        return tuple(dict.fromkeys((self.pairs[0].gacl, *(names.col for names in self.pairs))))


def check_name(what: str, name: str) -> str:
    """Return the name of a role or database; raise `InvalidNames` for one that cannot be."""
    if not name or "\0" in name or "\n" in name or "\r" in name:
        raise InvalidNames(f"the name of the {what} is empty or holds a line break")
    length = len(name.encode(errors="replace"))
    if length > LONGEST:
        raise InvalidNames(
            f"the name of the {what} has {length} bytes, more than {LONGEST}",
            hint="PostgreSQL would cut it; choose a shorter one.",
        )
    if what == "role" and (name.startswith("pg_") or name in RESERVED):
        raise InvalidNames(f"the name {name!r} is reserved for PostgreSQL itself")
    if what == "database" and name in ("template0", "template1", "postgres"):
        raise InvalidNames(
            f"the database {name!r} belongs to the server", hint="Choose a name of your own."
        )
    config_block.quoted(name)
    return name


def networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Return addresses and networks in CIDR form; raise `UsageError` for anything else."""
    found = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not an address or a network",
                hint="Write it as 192.168.1.20, 192.168.1.0/24 or 2001:db8::/32.",
            ) from error
    return tuple(dict.fromkeys(found))
