"""The versions that there are ways between: those of the package, then the site's own."""

from collec_migrations import versions as library
from collec_migrations import wrap
from collec_migrations.wrap import Revision


def revisions() -> tuple[Revision, ...]:
    """Return the revisions of the chain, oldest first, without importing them."""
    folders = (library.versions_folder(), library.site_folder())
    return wrap.ordered(one for folder in folders for one in wrap.read_revisions(folder))


def wrapped_after(start: str | None, chain: tuple[Revision, ...]) -> str:
    """Return the first version after `start` that was wrapped, or nothing.

    There is no way back from it, and its script may change what it likes.
    """
    versions = [one.version for one in chain]
    beyond = chain[versions.index(start) + 1 :] if start else chain
    return next((one.version for one in beyond if one.checksum), "")
