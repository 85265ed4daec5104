"""Scripts of the application that are newer than the chain: found, wrapped as versions, read."""

from collec_migrations.wrap.effects import Look, look, told
from collec_migrations.wrap.script import Script
from collec_migrations.wrap.script import read as read_script
from collec_migrations.wrap.steps import of_application
from collec_migrations.wrap.writer import Outcome, Wrapped, survey, write

__all__ = [
    "Look",
    "Outcome",
    "Script",
    "Wrapped",
    "look",
    "of_application",
    "read_script",
    "survey",
    "told",
    "write",
]
