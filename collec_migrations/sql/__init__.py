"""A script: its statements, a site's names bound in it, and which schema a statement changes."""

from collec_migrations.sql.account import with_account
from collec_migrations.sql.binder import bind, quote
from collec_migrations.sql.changed_schemas import (
    Role,
    belongs,
    changes,
    part,
    search_path,
    with_changes,
)
from collec_migrations.sql.statements import Statement, line_at, split

__all__ = [
    "Role",
    "Statement",
    "belongs",
    "bind",
    "changes",
    "line_at",
    "part",
    "quote",
    "search_path",
    "split",
    "with_account",
    "with_changes",
]
