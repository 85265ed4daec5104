"""The application's account in a script: whoever owns the schema that a statement is about."""

import re
from collections.abc import Mapping

from collec_migrations.sql.binder import quote
from collec_migrations.sql.changed_schemas import changes
from collec_migrations.sql.statements import split, tokens

_STATEMENTS = frozenset({"alter", "grant", "revoke", "create", "reassign"})
_BEFORE = frozenset({"to", "from", "authorization", "user", "role", "by", "group", ","})
"""What a role's name follows in these statements."""


def with_account(text: str, account: str, owners: Mapping[str, str]) -> str:
    """Return a script, not yet bound, in which an account is the owner of `gacl` or of `col`.

    `ALTER TABLE col.a OWNER TO collec` names the account that the application has by default. Where
    the owner is not known it is whoever runs the statement.
    """
    word = re.compile(rf"(?<![\w$]){re.escape(account)}(?![\w$])", re.IGNORECASE)
    if not word.search(text):
        return text
    for statement in reversed(split(text)):
        if word.search(statement.text):
            is_of_gacl = changes(statement.text, ("col", "gacl")) == {"gacl"}
            owner = owners["gacl" if is_of_gacl else "col"]
            bound = _bound(statement.text, account, quote(owner) if owner else "current_user")
            text = text[: statement.offset] + bound + text[statement.end :]
    return text


def _bound(text: str, account: str, owner: str) -> str:
    found = tokens(text)
    words = [text[token.start : token.end + 1].lower().strip('"') for token in found]
    if words[0] not in _STATEMENTS:
        return text
    for index in reversed(range(1, len(found))):
        after = words[index + 1] if index + 1 < len(words) else ""
        if words[index] == account and words[index - 1] in _BEFORE and after != ".":
            text = text[: found[index].start] + owner + text[found[index].end + 1 :]
    return text
