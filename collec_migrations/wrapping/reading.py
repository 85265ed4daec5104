"""From the bytes of a script to its text: UTF-8, Latin-1 or what the script itself declares."""

import re
from pathlib import Path

from collec_migrations import scripts
from collec_migrations.errors import ScriptUnreadable
from collec_migrations.versions import Source

_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)
_DECLARED = re.compile(
    rb"^[ \t]*(?:\\encoding[ \t]+|set[ \t]+client_encoding[ \t]*(?:=|to)[ \t]*)['\"]?([\w-]+)",
    re.IGNORECASE | re.MULTILINE,
)
_CODECS = {
    "latin1": "latin-1", "iso88591": "latin-1", "latin9": "iso8859-15", "iso885915": "iso8859-15",
    "win1252": "cp1252", "windows1252": "cp1252", "utf8": "utf-8", "unicode": "utf-8",
}  # fmt: skip
"""PostgreSQL's names of encodings (manual, 24.3) without blanks and dashes, and Python's."""


def load(path: Path) -> Source:
    """Return a file in the encoding that it is in."""
    shown = f"{path.parent.name}/{path.name}"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ScriptUnreadable(f"cannot read the script {path}: {error.strerror}") from None
    return Source(name=path.name, path=path, text=decode(data, shown=shown))


def placed(error: ScriptUnreadable, source: Source) -> ScriptUnreadable:
    """Return an error about a text as one about its file: `file:line: message`."""
    found = _LINE.match(str(error))
    line, message = (found[1], found[2]) if found else ("", str(error))
    where = f"{source.shown}:{line}" if line else source.shown
    return ScriptUnreadable(f"{where}: {message}", hint=error.hint)


def decode(data: bytes, *, shown: str) -> str:
    """Return the text of a script; raise `ScriptUnreadable` where it cannot be text.

    An encoding that the script declares counts when its bytes are not UTF-8.
    """
    if b"\0" in data:
        raise ScriptUnreadable(
            f"{shown}: it holds null characters, as UTF-16 or a file that is no script does",
            hint="Save it as UTF-8.",
        )
    declared = _DECLARED.search(data)
    if declared is None:
        return scripts.decode(data)
    name = re.sub(r"[-_ ]", "", declared[1].decode("ascii", "replace").lower())
    codec = _CODECS.get(name, "utf-8")
    if codec == "utf-8":
        return scripts.decode(data)
    try:
        return scripts.decode(data) if _is_utf8(data) else data.decode(codec)
    except UnicodeDecodeError:
        raise ScriptUnreadable(f"{shown}: it is not in {name}, as it says") from None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
