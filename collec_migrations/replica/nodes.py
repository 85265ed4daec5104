"""Which nodes there are: options, else the file of the site. Pure but for reading that file."""

import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import parse_dsn

from collec_migrations.errors import UsageError
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.conninfo import Address

FILE = Path("collec-nodes.toml")
VARIABLE = "COLLEC_NODES"
HINT = (
    "Name each server: --node db1='host=10.0.0.1 user=postgres dbname=postgres', "
    f"or write db1 = '...' below [nodes] in {FILE} (or in the file that {VARIABLE} names)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A node as the site calls it, and where it is."""

    name: str
    address: Address

    @property
    def host(self) -> str:
        """The host, or the folder of the socket."""
        default = os.environ.get("PGHOST", "/var/run/postgresql")
        parts = parse_dsn(self.address.dsn)
        return str(parts.get("hostaddr") or parts.get("host") or default)

    @property
    def port(self) -> int:
        """The port."""
        return int(parse_dsn(self.address.dsn).get("port") or os.environ.get("PGPORT", "5432"))


def known(given: Sequence[str], file: Path | None = None) -> tuple[Named, ...]:
    """Return the nodes given as `NAME=ADDRESS`, else those of the file; raise UsageError if none.

    Passwords are refused in both: they belong into ~/.pgpass.
    """
    pairs = [_pair(text) for text in given] if given else list(_in_file(file or FILE, file))
    found = tuple(_named(name, text) for name, text in pairs)
    if not found:
        raise UsageError("no node is named", hint=HINT)
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the node {name!r} is named twice")
    return found


def one(nodes: Sequence[Named], name: str) -> Named:
    """Return the node of a name; raise UsageError when there is none."""
    for node in nodes:
        if node.name == name:
            return node
    raise UsageError(f"no node is called {name!r}", hint=f"Known: {_list(nodes)}.")


def text(nodes: Sequence[Named]) -> str:
    """Return the file that remembers these nodes."""
    lines = (f"{_toml(one.name)} = {_toml(one.address.shown)}" for one in nodes)
    return "\n".join(("[nodes]", *lines, ""))


def _in_file(path: Path, asked: Path | None) -> Iterator[tuple[str, str]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if asked is not None:
            raise UsageError(f"{path} is not there", hint=HINT) from None
        return
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint=HINT) from error
    table = content.get("nodes")
    if not isinstance(table, dict) or not all(isinstance(at, str) for at in table.values()):
        raise UsageError(f"{path} has no table [nodes] of names and addresses", hint=HINT)
    yield from table.items()


def _pair(text: str) -> tuple[str, str]:
    name, _, address = text.partition("=")
    return name.strip(), address.strip()


def _named(name: str, text: str) -> Named:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII) or not text:
        raise UsageError(f"a node is given as {name!r}", hint=HINT)
    address = conninfo.parse(text, source=f"the address of {name}")
    parts = parse_dsn(address.dsn)
    if address.password:
        raise UsageError(
            f"the address of {name} holds a password",
            hint="Put it into ~/.pgpass (mode 0600) and leave it out here.",
        )
    if "," in str(parts.get("host", "")) + str(parts.get("port", "")):
        raise UsageError(f"the address of {name} names several hosts", hint="A node is one server.")
    return Named(name=name, address=address)


def _list(nodes: Sequence[Named]) -> str:
    return ", ".join(one.name for one in nodes)


def _toml(text: str) -> str:
    if re.fullmatch(r"[\w-]+", text, re.ASCII):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
