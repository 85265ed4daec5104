"""What real databases are: a sound one, made wrong in the ways that are known from the field.

Each function takes a connection to a sound database of one of the versions named beside it in
`VARIANTS`, changes it by plain SQL and leaves the commit to the caller. Versions later than 1.1
come from `from_catalog`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations.names import Names
from tests.builders.variants import contents, structure

UP_TO_1_0_8 = ("1.0", "1.0.4", "1.0.5", "1.0.6", "1.0.8")
UP_TO_1_1 = (*UP_TO_1_0_8, "1.1")
WITH_DBVERSION = ("1.0.8", "1.1")

Change = Callable[[extensions.connection, Names], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A way in which databases of the field differ from a sound one."""

    change: Change
    versions: tuple[str, ...]
    changes_rows: bool = False
    """Whether the change itself adds, changes or removes rows of tables."""

    @property
    def name(self) -> str:
        """The name of the function, for the id of a test."""
        return self.change.__name__

    def __call__(self, connection: extensions.connection, names: Names) -> None:
        self.change(connection, names)


VARIANTS = (
    Variant(change=structure.projet_group, versions=UP_TO_1_0_8),
    Variant(change=structure.json_sample_metadata, versions=UP_TO_1_0_8),
    Variant(change=contents.rights_of_1_0, versions=UP_TO_1_1, changes_rows=True),
    Variant(change=contents.orphan_groups, versions=UP_TO_1_1, changes_rows=True),
    Variant(change=contents.sequences_behind, versions=UP_TO_1_1),
    Variant(change=structure.other_owners, versions=UP_TO_1_1),
    Variant(change=structure.upgraded_by_hand, versions=("1.1",), changes_rows=True),
    Variant(change=structure.no_sample_metadata, versions=UP_TO_1_0_8, changes_rows=True),
    Variant(
        change=structure.frozen_default,
        versions=("2.4", "2.5", "2.6", "2.7", "2.8", "2.8.1", "24.0"),
    ),
    Variant(change=contents.recorded_never_existed, versions=WITH_DBVERSION, changes_rows=True),
    Variant(change=contents.recorded_before, versions=WITH_DBVERSION, changes_rows=True),
    Variant(change=contents.recorded_twice, versions=WITH_DBVERSION, changes_rows=True),
    Variant(change=contents.recorded_nothing, versions=WITH_DBVERSION, changes_rows=True),
    Variant(change=contents.missing_constraint, versions=UP_TO_1_1, changes_rows=True),
    Variant(change=structure.missing_index, versions=UP_TO_1_1),
    Variant(change=structure.missing_column, versions=("1.0.6", "1.0.8", "1.1")),
)


def of_version(version: str) -> tuple[Variant, ...]:
    """Return the variants that a database of this version can be."""
    return tuple(variant for variant in VARIANTS if version in variant.versions)
