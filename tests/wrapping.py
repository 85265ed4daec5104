"""Wrapped scripts in tests: made-up scripts of a site, wrapped and run in a folder of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from collec_migrations.postgres.address import Address
from collec_migrations.wrapping import wrap
from collec_migrations.wrapping.wrap import Outcome, Place
from tests import chain
from tests.servers import Server

SITE = Path("collec-versions")


def write(folder: Path, scripts: Mapping[str, str | bytes]) -> list[Path]:
    """Write scripts into a folder, by their names; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in scripts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(path)
    return paths


def wrapped(scripts: Mapping[str, str | bytes], *, given: Iterable[Path] = ()) -> Outcome:
    """Wrap scripts into the site's folder of the current folder."""
    write(Path("scripts"), scripts)
    return wrap.wrap(list(given) or [Path("scripts")], Place.of(None))


def decide(choice: str) -> None:
    """Decide every literal in doubt in the same way."""
    for path in SITE.glob("*.choices"):
        path.write_text(path.read_text("utf-8").replace(" ? ", f" {choice} "), "utf-8")


def constructed(server: Server) -> Address:
    """Return the database that the scripts of `tests.constructs`, wrapped in this folder, made."""
    return replace(server.address, dbname=server.template("constructs", chain.upgrade))


PACKAGED = Path(wrap.__file__).parent.parent / "errata" / "errata.json"
