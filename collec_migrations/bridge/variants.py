"""What databases in the field are known to have otherwise, with the reason: data."""

from collections.abc import Iterable
from dataclasses import dataclass

from collec_migrations import versions
from collec_migrations.bridge.difference import Difference, Severity, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One known difference, in the versions `first` to `last`."""

    first: str
    last: str = ""
    """Empty: every later version."""
    state: State
    kind: str
    name: str
    observed: str = ""
    """Needed in what was found; empty: anything."""
    severity: Severity | None = None
    """Instead of what it would be otherwise."""
    reason: str

    def explains(self, version: str, one: Difference) -> bool:
        """Say whether this is that difference."""
        return (
            versions.position(self.first)
            <= versions.position(version)
            <= (versions.position(self.last) if self.last else len(versions.VERSIONS))
            and (one.state, one.kind, one.name) == (self.state, self.kind, self.name)
            and self.observed in one.observed
        )


def explained(version: str, found: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return the differences, those that are known with their reason."""
    return tuple(_explained(version, one) for one in found)


def _explained(version: str, one: Difference) -> Difference:
    for variant in VARIANTS:
        if variant.explains(version, one):
            return one.explained(variant.reason, variant.severity)
    return one


_PROJET = "releases 1.0 to 1.0.2 named it so, and no script ever renamed it"
_BY_HAND = "databases that the original script upgraded to 1.1 have it so"
_OLD_INSTALLER = "the installers of 26.0.0 and 26.0.1 left it out"
_HOMONYMS = "the step to 24.1 leaves it out where referents have the same name"
_OLD_INSTALLER_25 = "installers of 25.0 and 26.0 left it out"


def _missing(first: str, kind: str, name: str, reason: str, last: str = "26.0") -> Variant:
    return Variant(first=first, last=last, state=State.MISSING, kind=kind, name=name, reason=reason)


VARIANTS = (
    Variant(
        first="1.0",
        last="1.2.3",
        state=State.RENAMED,
        kind="table",
        name="project_group",
        observed="projet_group",
        severity=Severity.BREAKS,
        reason=_PROJET,
    ),
    Variant(
        first="1.0",
        last="1.2.3",
        state=State.RENAMED,
        kind="constraint",
        name="project_group.project_group_pk",
        observed="projet_group_pk",
        reason=_PROJET,
    ),
    Variant(
        first="1.0",
        last="1.0.8",
        state=State.RENAMED,
        kind="constraint",
        name="project_group.project_project_group_fk",
        observed="project_projet_group_fk",
        reason=_PROJET,
    ),
    Variant(
        first="1.0",
        last="1.0.8",
        state=State.CHANGED,
        kind="column",
        name="sample_metadata.data",
        observed="json",
        severity=Severity.DIFFERS,
        reason="the installer of release 1.0.8 made it json",
    ),
    Variant(
        first="1.1",
        state=State.EXTRA,
        kind="table",
        name="sample_metadata",
        reason="the original script to 1.1 neither moved nor dropped it; it may hold metadata",
    ),
    Variant(
        first="1.1",
        last="2.3",
        state=State.MISSING,
        kind="constraint",
        name="project_group.aclgroup_projet_group_fk",
        reason="the original script to 1.1 did not add it",
    ),
    Variant(
        first="1.1",
        last="2.3",
        state=State.CHANGED,
        kind="constraint",
        name="project_group.aclgroup_projet_group_fk",
        observed="NOT VALID",
        reason="the upgrade to 1.1 adds it unchecked where group ids point at no group",
    ),
    Variant(
        first="1.1",
        last="1.2.3",
        state=State.RENAMED,
        kind="constraint",
        name="project_group.project_projet_group_fk",
        observed="project_project_group_fk",
        reason=_BY_HAND,
    ),
    Variant(
        first="2.4",
        state=State.CHANGED,
        kind="column",
        name="object.change_date",
        observed="default '<moment of installation>'",
        reason="the original scripts of 2.4 and 2.5 quoted now(), which froze it",
    ),
    Variant(
        first="2.8.1",
        state=State.MISSING,
        kind="function",
        name="regenerate_metadata_indexes()",
        severity=Severity.COSMETIC,
        reason="the step to 2.8.1 needs it once, and installers of later versions leave it out",
    ),
    _missing("24.1", "index", "referent_referent_name_idx", _HOMONYMS, last=""),
    _missing("25.0", "index", "dbparamname_idx", _OLD_INSTALLER_25, last=""),
    _missing("25.0", "view", "v_sample_parents", _OLD_INSTALLER_25),
    _missing("25.0", "column", "borrowing.borrowing_comment", _OLD_INSTALLER_25),
    _missing("25.0", "column", "subsample.createdsample_id", _OLD_INSTALLER_25),
    _missing("25.0", "column", "container_type.nbobject_by_slot", _OLD_INSTALLER_25),
    _missing("25.0", "column", "sample_type.sample_type_code", _OLD_INSTALLER_25),
    _missing("26.0", "column", "label.logo", _OLD_INSTALLER),
)

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
