"""Where the application itself names a schema, whatever the site's settings say. Pure."""

from collections.abc import Iterator

from collec_migrations import versions
from collec_migrations.names import Names


def warnings(version: str, names: Names) -> Iterator[str]:
    """Yield what a site with other names must know before it goes to a version."""
    reached = versions.order(version)
    if names.col != "col" and reached >= (2, 5):
        yield (
            f"the application itself names col.document from 2.5 on: with the data schema"
            f" {names.col!r} its documents fail until its file is changed"
        )
    if names.gacl != "gacl" and (2, 8) <= reached < (24,):
        yield (
            f"the application 2.8 itself names gacl.aclgroup: with the rights schema"
            f" {names.gacl!r} that page fails until its file is changed"
        )
