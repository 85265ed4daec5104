"""The tables that every version has: by them a schema is known for what it is."""

GACL = (
    *("aclacl", "aclaco", "aclappli", "aclgroup", "acllogin", "acllogingroup"),
    *("log", "logingestion"),
)
COL = (
    *("booking", "container", "container_family", "container_type", "document", "event"),
    *("event_type", "identifier_type", "label", "mime_type", "movement_type"),
    *("multiple_type", "object", "object_identifier", "object_status", "operation"),
    *("protocol", "sample", "sample_type", "storage_condition", "subsample"),
)


def is_gacl(tables: int) -> bool:
    """Say whether a schema with so many of these tables is a rights schema."""
    return 2 * tables >= len(GACL)


def is_col(tables: int) -> bool:
    """Say whether a schema with so many of these tables is a data schema."""
    return 2 * tables >= len(COL)
