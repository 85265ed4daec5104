"""What a laboratory holds: its tables in the order to fill them, and how many rows of each."""

from collections.abc import Mapping
from dataclasses import dataclass

NEWEST = "1.1"
"""The newest version whose tables are known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that the generator fills, in whatever version has it."""

    role: str
    name: str
    """Also the name of the query in `tables/`."""
    key: str = ""
    """The column of its ids; empty for tables that only join others."""
    at_least: int = 1
    per_thousand: int = 0
    """Rows for each thousand movements."""
    at_most: int | None = None
    well_known: bool = False
    """Rows whose ids the application knows: only those that are missing are added."""
    renamed_from: str = ""
    """The name that early releases gave to the table."""

    def size(self, movements: int) -> int:
        """Return how many rows the table gets."""
        size = max(self.at_least, movements * self.per_thousand // 1000)
        return size if self.at_most is None else min(size, self.at_most)


def _gacl(name: str, key: str = "", at_least: int = 1, per_thousand: int = 0) -> Table:
    return Table(role="gacl", name=name, key=key, at_least=at_least, per_thousand=per_thousand)


def _list(name: str, at_least: int) -> Table:
    """Return a list that the laboratory's administrators keep: its size is fixed."""
    return Table(role="col", name=name, key=f"{name}_id", at_least=at_least)


def _known(name: str) -> Table:
    return Table(role="col", name=name, key=f"{name}_id", at_least=0, well_known=True)


def _work(name: str, at_least: int, per_thousand: int, at_most: int | None = None) -> Table:
    """Return a table that grows with the work done."""
    return Table(
        role="col",
        name=name,
        key=f"{name}_id",
        at_least=at_least,
        per_thousand=per_thousand,
        at_most=at_most,
    )


TABLES = (
    _gacl("aclgroup", "aclgroup_id", 6),
    _gacl("acllogin", "acllogin_id", 8),
    _gacl("acllogingroup", at_least=8),
    _gacl("aclappli", "aclappli_id"),
    _gacl("aclaco", "aclaco_id", 2),
    _gacl("aclacl", at_least=2),
    _gacl("logingestion", "id", 8),
    _gacl("login_oldpassword", "login_oldpassword_id", 12),
    _gacl("passwordlost", "passwordlost_id", 4),
    _gacl("log", "log_id", 30, 200),
    _known("container_family"),
    _known("object_status"),
    _known("movement_type"),
    _known("multiple_type"),
    _known("mime_type"),
    _known("event_type"),
    _list("storage_condition", 5),
    _list("storage_reason", 4),
    _list("identifier_type", 3),
    _list("sampling_place", 5),
    _list("printer", 3),
    _list("metadata", 6),
    _list("metadata_schema", 3),
    _list("metadata_set", 6),
    _list("metadata_attribute", 30),
    _list("label", 2),
    _list("container_type", 5),
    _list("project", 10),
    Table(role="col", name="project_group", at_least=10, renamed_from="projet_group"),
    _list("protocol", 8),
    _list("operation", 16),
    _list("sample_type", 12),
    Table(role="col", name="object", key="uid"),
    _work("container", 12, 20),
    _work("sample", 24, 100),
    Table(role="col", name="sample_metadata", at_least=24, per_thousand=100),
    _work("subsample", 12, 50),
    Table(role="col", name="storage", key="storage_id", at_least=0, per_thousand=1000),
    _work("event", 10, 50),
    _work("booking", 10, 50),
    _work("document", 12, 50, at_most=5000),
    _work("object_identifier", 10, 60),
)
"""Every table of 1.0 to 1.1 but `dbversion`, which tells the truth about the database."""


def sizes(movements: int) -> Mapping[str, int]:
    """Return how many rows each table gets, so that there are `movements` movements."""
    found = {table.name: table.size(movements) for table in TABLES}
    found["object"] = found["container"] + found["sample"]
    return found


def movers(size: Mapping[str, int]) -> int:
    """Return how many things ever moved: all but the site itself and a tenth of the samples."""
    return size["container"] - 1 + size["sample"] * 9 // 10
