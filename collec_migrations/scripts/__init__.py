"""Scripts: the statements of a script, and a site's own names bound in it."""

from collec_migrations.scripts.binding import Choice, Doubt, bind, doubts
from collec_migrations.scripts.statements import Statement, decode, line_at, split

__all__ = ["Choice", "Doubt", "Statement", "bind", "decode", "doubts", "line_at", "split"]
