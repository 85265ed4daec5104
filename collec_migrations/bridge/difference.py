"""One difference between a database and its version, and why databases in the field have it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from collec_migrations import versions
from collec_migrations.catalog import FROZEN


class Severity(StrEnum):
    """What a difference means for the application."""

    BREAKS = "breaks"
    DIFFERS = "differs"
    COSMETIC = "cosmetic"


class State(StrEnum):
    """What is the matter with the named thing."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"
    RENAMED = "renamed"
    OWNER = "owner"
    RIGHT = "right"
    BEHIND = "behind"
    ROW = "row"
    PASSWORD = "password"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A line of a drift report."""

    severity: Severity
    state: State
    role: str
    """`gacl` or `col`."""
    kind: str
    """table, column, constraint, index, view, sequence, function, trigger, type, row ..."""
    name: str
    """As the release names it; `table.column` for what belongs to a table."""
    sentence: str
    expected: str = ""
    observed: str = ""
    """The definition found, or the other name, or the other owner."""
    along: tuple[str, ...] = ()
    """What is missing or other only because of this."""
    known: str = ""
    """Why databases in the field have this, when that is known."""

    @property
    def is_frozen_default(self) -> bool:
        """Say whether it is the default that an installer froze: no matter of version."""
        return self.state is State.CHANGED and f"default '{FROZEN}'" in self.observed

    @property
    def table(self) -> str:
        """The table of a column or constraint; else the name itself."""
        return self.name.partition(".")[0]

    def explained(self, reason: str, severity: Severity | None = None) -> "Difference":
        """Return the difference with the reason why it is there."""
        return replace(self, known=reason, severity=severity or self.severity)


ORDER = {Severity.BREAKS: 0, Severity.DIFFERS: 1, Severity.COSMETIC: 2}


def ordered(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return the differences, the worst first."""
    return tuple(sorted(differences, key=lambda one: (ORDER[one.severity], one.kind, one.name)))


class Variant(NamedTuple):
    """One difference that databases in the field are known to have, from `first` to `last`."""

    first: str
    last: str
    """Empty: every later version."""
    state: State
    kind: str
    name: str
    reason: str
    observed: str = ""
    """Needed in what was found; empty: anything."""
    severity: Severity | None = None
    """Instead of what it would be otherwise."""

    def explains(self, version: str, one: Difference) -> bool:
        """Say whether this is that difference."""
        if (one.state, one.kind, one.name) != (self.state, self.kind, self.name):
            return False  # nearly all, where a site has thousands of tables of its own
        place, last = versions.position(version), self.last or versions.VERSIONS[-1]
        return (
            versions.position(self.first) <= place <= versions.position(last)
            and self.observed in one.observed
        )


def with_reasons(version: str, found: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return the differences, those that are known with their reason."""
    return tuple(
        next((one.explained(known.reason, known.severity) for known in VARIANTS
              if known.explains(version, one)), one)
        for one in found
    )  # fmt: skip


MADE_BY_APPLICATION = "sample_metadata_lower_"
"""How the application names the indexes that it makes for the fields of metadata to search."""
OWN = "not of the application: left as it is"
NO_POSTGIS = "the known variant without PostGIS"
FALSE_NUMBERS = {
    ("2.6", "2.7"): "the installer of release 2.7.0 recorded 2.6",
    ("25.1", "26.0"): "there never was a version 25.1; the installers of 26.0.0 and 26.0.1, and "
    "pre-releases of 26.1, recorded it",
}
"""(recorded, observed) where an installer wrote a wrong number."""

_PROJET = "releases 1.0 to 1.0.2 named it so, and no script ever renamed it"
_OLD_INSTALLER = "installers of 25.0 and 26.0 left it out"
_GROUP_KEY = "project_group.aclgroup_projet_group_fk"
_MISSING, _CHANGED, _RENAMED = State.MISSING, State.CHANGED, State.RENAMED

VARIANTS = (
    Variant("1.0", "1.2.3", _RENAMED, "table", "project_group", _PROJET, "projet_group",
            Severity.BREAKS),
    Variant("1.0", "1.2.3", _RENAMED, "constraint", "project_group.project_group_pk", _PROJET,
            "projet_group_pk"),
    Variant("1.0", "1.0.8", _RENAMED, "constraint", "project_group.project_project_group_fk",
            _PROJET, "project_projet_group_fk"),
    Variant("1.0", "1.0.8", _CHANGED, "column", "sample_metadata.data",
            "the installer of release 1.0.8 made it json", "json", Severity.DIFFERS),
    Variant("1.1", "", State.EXTRA, "table", "sample_metadata",
            "the original script to 1.1 neither moved nor dropped it; it may hold metadata"),
    Variant("1.1", "2.3", _MISSING, "constraint", _GROUP_KEY,
            "the original script to 1.1 did not add it"),
    Variant("1.1", "2.3", _CHANGED, "constraint", _GROUP_KEY,
            "the upgrade to 1.1 adds it unchecked where group ids point at no group", "NOT VALID"),
    Variant("1.1", "1.2.3", _RENAMED, "constraint", "project_group.project_projet_group_fk",
            "databases that the original script upgraded to 1.1 have it so",
            "project_project_group_fk"),
    Variant("2.4", "", _CHANGED, "column", "object.change_date",
            "the original scripts of 2.4 and 2.5 quoted now(), which froze it",
            "default '<moment of installation>'"),
    Variant("2.8.1", "", _MISSING, "function", "regenerate_metadata_indexes()",
            "the step to 2.8.1 needs it once, and installers of later versions leave it out",
            severity=Severity.COSMETIC),
    *(Variant("24.0", "25.0", _CHANGED, "view", name, "the original script to 24.0 made it so",
              severity=Severity.DIFFERS) for name in ("last_movement", "v_derivated_number")),
    Variant("24.1", "", _MISSING, "index", "referent_referent_name_idx",
            "the step to 24.1 leaves it out where referents have the same name"),
    Variant("25.0", "", _MISSING, "index", "dbparamname_idx", _OLD_INSTALLER),
    *(Variant("25.0", "26.0", _MISSING, kind, name, _OLD_INSTALLER)
      for kind, name in (("view", "v_sample_parents"), ("column", "borrowing.borrowing_comment"),
                         ("column", "subsample.createdsample_id"),
                         ("column", "container_type.nbobject_by_slot"),
                         ("column", "sample_type.sample_type_code"))),
    Variant("26.0", "26.0", _MISSING, "column", "label.logo",
            "the installers of 26.0.0 and 26.0.1 left it out"),
)  # fmt: skip
