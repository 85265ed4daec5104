"""The versions that Alembic knows, read from the revision files without importing Alembic."""

import re
from pathlib import Path

from collec_migrations import library, releases

_REVISION = re.compile(r"""^revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)


def versions(folder: Path | None = None) -> tuple[str, ...]:
    """Return the known versions that have a revision, in order."""
    files = sorted((folder or library.versions_folder()).glob("*.py"))
    found = {name for path in files for name in _REVISION.findall(path.read_text("utf-8"))}
    return tuple(version for version in releases.VERSIONS if version in found)
