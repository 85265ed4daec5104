"""What a site decided about literals in doubt: a small file beside the script."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from collec_migrations import scripts
from collec_migrations.errors import ScriptUnreadable
from collec_migrations.scripts import Choice, Doubt, tokens
from collec_migrations.versions import Source
from collec_migrations.wrapping import reading
from collec_migrations.wrapping.script import Script

SUFFIX = ".choices"
_LINE = re.compile(r"(\d+)\s+(bind|leave|\?)\s+(\".*\")\s*")
HEADER = """\
# Literals that may hold a schema's name or be data: `bind` puts the site's name in place of the
# script's, `leave` keeps them as they are. Put one of the two where a question mark stands.
"""


def beside(script: Path) -> Path:
    """Return where the choices of a script are."""
    return script.with_name(script.name + SUFFIX)


def read(script: Path) -> dict[tuple[int, str], Choice]:
    """Return what was decided about a script; nothing when there is no file."""
    path = beside(script)
    if not path.is_file():
        return {}
    return parse(path.read_text("utf-8-sig"), shown=f"{path.parent.name}/{path.name}")


def parse(text: str, *, shown: str) -> dict[tuple[int, str], Choice]:
    """Return the decisions of a text; raise `ScriptUnreadable` for a line that is none."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ScriptUnreadable(
                f"{shown}:{number}: not a choice: {line!r}",
                hint='Write a line as: LINE bind|leave "LITERAL".',
            )
        if match[2] != "?":
            found[int(match[1]), json.loads(match[3])] = Choice(match[2])
    return found


def questions(doubts: Iterable[Doubt]) -> str:
    """Return the text of a file in which these doubts are still to be decided."""
    lines = [
        f"# {doubt.reason}\n{doubt.line} ? {json.dumps(doubt.literal, ensure_ascii=False)}\n"
        for doubt in doubts
    ]
    return HEADER + "".join(lines)


def undecided(script: Script, names: Mapping[str, str]) -> Iterator[tuple[Source, Doubt]]:
    """Yield the literals of a script that may hold one of these names and were not decided."""
    decided = {source.path: read(source.path) for source in script.sources}
    for item in script.items:
        if not _may_hold(item.statement.text, names):
            continue
        # On the line where the file has it: decisions go by line.
        text = "\n" * (item.statement.line - 1) + item.statement.text
        try:
            found = scripts.doubts(text, names, decisions=decided[item.source.path])
        except ScriptUnreadable as error:
            raise reading.placed(error, item.source) from None
        yield from ((item.source, doubt) for doubt in found)


def _may_hold(text: str, names: Iterable[str]) -> bool:
    """Say whether a literal of a statement may hold a name; an escape may hide one.

    Names outside literals are never in doubt, and most statements have no others.
    """
    if "'" not in text and "$" not in text:
        return False
    found = [token for token in tokens.scan(text) if token.is_literal]
    return any(
        "\\" in token.text
        or token.text[:1] in "uU"
        or any(name in token.text.lower() for name in names)
        for token in found
    )


def refuse_undecided(script: Script, names: Mapping[str, str]) -> None:
    """Raise `ScriptUnreadable` that names every literal still to be decided."""
    lines = [
        f"{source.shown}:{doubt.line}: {doubt.literal!r}: {doubt.reason}"
        for source, doubt in undecided(script, names)
    ]
    if lines:
        raise ScriptUnreadable(
            "literals that may be names of schemas:\n    " + "\n    ".join(lines),
            hint=f"Decide each in the file beside the script that ends in {SUFFIX}.",
        )
