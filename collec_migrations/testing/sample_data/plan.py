"""What sample data hold: how many rows of each table, beside what a catalog says."""

from collections.abc import Iterable, Mapping

LEFT_ALONE = frozenset({"dbversion"})
"""Tells the truth about the database."""

WELL_KNOWN = frozenset(
    {"container_family", "dataset_type", "event_type", "export_format", "mime_type",
     "movement_type", "multiple_type", "object_status"}
)  # fmt: skip
"""Tables of rows whose ids the application knows: only those that are missing are added."""

SIZES: Mapping[str, tuple[int, int]] = {
    "aclgroup": (6, 0),
    "acllogin": (8, 0),
    "logingestion": (8, 0),
    "log": (30, 200),
    "container": (12, 20),
    "sample": (24, 100),
    "movement": (0, 1000),
}
"""Rows at least, and rows for each thousand movements, where it is not as for most tables."""
A_LIST, WORK = (12, 0), (12, 50)
"""The same for lists that administrators keep, and for tables that refer to objects or samples."""
AT_MOST = {"document": 5000}

OLD_TABLES = {
    "project": "collection",
    "project_group": "collection_group",
    "projet_group": "collection_group",
    "storage": "movement",
    "storage_reason": "movement_reason",
}
"""Names before 2.0; queries and sizes go by the new ones."""
OLD_COLUMNS = {
    "project_id": "collection_id",
    "project_name": "collection_name",
    "range": "storage_location",
    "sample_date": "sampling_date",
    "storage_comment": "movement_comment",
    "storage_date": "movement_date",
    "storage_id": "movement_id",
    "storage_reason_id": "movement_reason_id",
    "storage_reason_name": "movement_reason_name",
}


def sizes(parents: Mapping[str, Iterable[str]], movements: int) -> dict[str, int]:
    """Return how many rows each table gets; `parents` names the tables that each refers to."""
    found = {}
    for table, referred in parents.items():
        usual = WORK if {"object", "sample"} & set(referred) else A_LIST
        at_least, per_thousand = SIZES.get(table, usual)
        count = max(at_least, movements * per_thousand // 1000)
        found[table] = min(count, AT_MOST.get(table, count))
    found |= dict.fromkeys(WELL_KNOWN & found.keys(), 0)
    found["object"] = found["container"] + found["sample"]
    return found


def movers(size: Mapping[str, int]) -> int:
    """Return how many things ever moved: all but the site itself and a tenth of the samples."""
    return size["container"] - 1 + size["sample"] * 9 // 10
