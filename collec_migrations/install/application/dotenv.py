"""Parse the `.env` file of releases from 25.0 on, as CodeIgniter reads it. Pure."""

import re
from collections.abc import Mapping

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][\w.]*)\s*=\s*(?P<value>.*)")
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""")


def values(text: str, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the last value of each key, with `.` for `_` where a key is asked with it.

    A variable of the process environment wins over the file.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = None if line.lstrip().startswith("#") else _LINE.match(line)
        if match:
            known = {**found, **environment}
            found[match["name"]] = _value(match["value"].strip(), known)
    return found


def get(found: Mapping[str, str], environment: Mapping[str, str], key: str) -> str:
    """Return the value of a key, written with dots or underscores; empty when it has none."""
    for source in (environment, found):
        for name in (key, key.replace(".", "_")):
            if name in source:
                return source[name]
    return ""


def _value(text: str, known: Mapping[str, str]) -> str:
    quoted = _QUOTED.match(text)
    if quoted:
        plain = re.sub(r"\\(.)", r"\1", quoted["text"])
    else:
        plain = re.split(r"\s#", text, maxsplit=1)[0].strip()
        plain = "" if plain.startswith("#") else plain
    if quoted and quoted["quote"] == "'":
        return plain
    return _REFERENCE.sub(lambda match: known.get(match[1], match[0]), plain)
