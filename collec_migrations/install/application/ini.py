"""Parse the ini file of a host of several instances: `NAME=value`, `;` comments. Pure."""

from collections.abc import Mapping


def values(text: str) -> Mapping[str, str]:
    """Return the last value of each name; sections are passed over."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, rest = line.strip().partition("=")
        if not separator or name.startswith((";", "#", "[")):
            continue
        found[name.strip().removeprefix("$")] = _value(rest.strip())
    return found


def _value(text: str) -> str:
    for quote in ('"', "'"):
        if text.startswith(quote) and quote in text[1:]:
            return text[1:].partition(quote)[0]
    return text.partition(";")[0].strip()
