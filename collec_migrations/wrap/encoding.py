"""From the bytes of a script to its text: never a character that its author did not write."""

import re
from codecs import BOM_UTF8

from collec_migrations.errors import ScriptUnreadable

UTF_8, LATIN_1, WINDOWS_1252 = "UTF-8", "Latin-1", "Windows-1252"
_CODECS = {UTF_8: "utf-8", LATIN_1: "latin-1", WINDOWS_1252: "cp1252"}

_MULTI_BYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_BEYOND_LATIN_1 = re.compile(rb"[\x80-\x9f]")


def decode(data: bytes, shown: str) -> tuple[str, str]:
    """Return the text of a script and the encoding that was taken for it.

    A file that is not UTF-8 is in an encoding of single bytes only if no part of it is UTF-8:
    else the bytes that are would become other characters. Raise `ScriptUnreadable` with line and
    byte where neither holds.
    """
    data = data.removeprefix(BOM_UTF8)
    if b"\0" in data:
        raise ScriptUnreadable(
            f"{shown}: it holds null characters, as UTF-16 or a file that is no script does",
            hint="Save it as UTF-8.",
        )
    try:
        return data.decode("utf-8"), UTF_8
    except UnicodeDecodeError as error:
        wrong = error.start
    if not _MULTI_BYTE.search(data):
        encoding = WINDOWS_1252 if _BEYOND_LATIN_1.search(data) else LATIN_1
        try:
            return data.decode(_CODECS[encoding]), encoding
        except UnicodeDecodeError as error:
            wrong = error.start
    line = data.count(b"\n", 0, wrong) + 1
    raise ScriptUnreadable(
        f"{shown}:{line}: byte {data[wrong]:#04x} is not UTF-8, which other parts of the file are",
        hint="Save the file as UTF-8, all of it.",
    )
