"""Which tables a statement locks, how strongly, and whether it rewrites or scans them. Pure."""

from collec_migrations.locks.modes import Lock, Mode
from collec_migrations.locks.statements import effects
from collec_migrations.locks.walk import Effects, Removal
from collec_migrations.locks.world import ANY, ForeignKey, Relation, World

__all__ = [
    "ANY",
    "Effects",
    "ForeignKey",
    "Lock",
    "Mode",
    "Relation",
    "Removal",
    "World",
    "effects",
]
