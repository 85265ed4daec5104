"""Wrapped scripts in tests: made-up scripts of a site, wrapped and run in a folder of its own."""

from collections.abc import Mapping
from pathlib import Path

from collec_migrations import wrap
from collec_migrations.wrap import Outcome

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


def wrapped(
    scripts: Mapping[str, str | bytes], variables: Mapping[str, str] | None = None
) -> Outcome:
    """Wrap scripts into the site's folder of the current folder."""
    write(Path("scripts"), scripts)
    return written(Path("scripts"), variables=variables)


def written(
    path: Path, into: Path | None = None, variables: Mapping[str, str] | None = None
) -> Outcome:
    """Wrap a script, or those of a folder, into the site's folder or another one."""
    found = wrap.survey([path], into, variables)
    wrap.write(found)
    return found
