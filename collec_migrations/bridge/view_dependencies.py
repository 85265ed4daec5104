"""What each view of the application reads: with a table, its views go."""

from collections.abc import Mapping

READS: Mapping[str, frozenset[str]] = {
    "aclgroup": frozenset({"aclgroup"}),
    "last_borrowing": frozenset({"borrowing"}),
    "last_movement": frozenset({"storage", "movement", "container", "object", "movement_reason"}),
    "last_photo": frozenset({"document", "mime_type"}),
    "slots_used": frozenset(
        {"last_movement", "container", "container_type", "movement", "object", "storage"}
    ),
    "v_derivated_number": frozenset({"sample"}),
    "v_object_identifier": frozenset({"object_identifier", "identifier_type"}),
    "v_sample_parents": frozenset({"sample", "subsample", "object"}),
    "v_subsample_quantity": frozenset({"subsample", "sample", "sample_type"}),
}


def reads(view: str, table: str) -> bool:
    """Say whether a view of the application reads a table or another view."""
    return table in READS.get(view, frozenset())
