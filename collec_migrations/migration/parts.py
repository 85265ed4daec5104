"""The part of a script that changes one of the two schemas."""

import re

from collec_migrations import scripts


def part(sql: str, role: str) -> str:
    """Return the statements of a script that change the schema of `role` (gacl or col)."""
    chosen = []
    for statement in scripts.split(sql):
        t = statement.text
        g = re.search(r"\bgacl(_archive)?\.|'gacl", t) and not re.search(r"\bcol(_archive)?\.|'col", t)
        if ("gacl" if g else "col") == role:
            chosen.append(t.rstrip("; \n") + ";\n")
    return "\n".join(chosen)
