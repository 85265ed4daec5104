"""The bridge from any database in the field to a version of the chain.

Each verb loads what it needs when it is called: none needs Alembic, SQLAlchemy or a parser of SQL
before it has something to repair.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collec_migrations.bridge import history, ownership, report
    from collec_migrations.bridge.adoption import Adoption, adopt, refuse_stamp
    from collec_migrations.bridge.catalog_reader import read_catalog
    from collec_migrations.bridge.decision import Answer, Detection, is_later
    from collec_migrations.bridge.detection import (
        Pairing,
        Report,
        detect,
        find,
        find_and_read,
        verify,
    )
    from collec_migrations.bridge.difference import Difference, Severity, State
    from collec_migrations.bridge.records import read_owners
    from collec_migrations.bridge.repairs import Result, repair
    from collec_migrations.bridge.structure import differences

__all__ = [
    "Adoption",
    "Answer",
    "Detection",
    "Difference",
    "Pairing",
    "Report",
    "Result",
    "Severity",
    "State",
    "adopt",
    "detect",
    "differences",
    "find",
    "find_and_read",
    "history",
    "is_later",
    "ownership",
    "read_catalog",
    "read_owners",
    "refuse_stamp",
    "repair",
    "report",
    "verify",
]

_HOMES = {
    "adoption": ("Adoption", "adopt", "refuse_stamp"),
    "catalog_reader": ("read_catalog",),
    "decision": ("Answer", "Detection", "is_later"),
    "detection": ("Pairing", "Report", "detect", "find", "find_and_read", "verify"),
    "difference": ("Difference", "Severity", "State"),
    "records": ("read_owners",),
    "repairs": ("Result", "repair"),
    "structure": ("differences",),
}
"""The module that has each name, loaded when it is first asked for."""


def __getattr__(name: str) -> Any:
    for module, known in _HOMES.items():
        if name in known:
            return getattr(import_module(f"{__name__}.{module}"), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
