"""The code blocks of the documentation, to be run as they stand."""

import re
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> tuple[str, ...]:
    """Return the code blocks of a page in a language, in their order."""
    found = _BLOCK.findall(page.read_text("utf-8"))
    return tuple(text for told, text in found if told == language)
