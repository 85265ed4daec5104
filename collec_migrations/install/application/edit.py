"""Give keys of the application's files new values, and keep everything else. Pure."""

import re
from collections.abc import Callable, Mapping

from collec_migrations.install.application import php, settings
from collec_migrations.install.application.settings import Form

Change = Callable[[str, Mapping[str, str]], str]
"""Takes a file's text and new values, gives its new text."""
_DOTENV = re.compile(r"(?P<before>\s*(?:export\s+)?(?P<name>[A-Za-z_][\w.]*)\s*=\s*)(?P<value>.*)")
_QUOTED = re.compile(r"""(["'])(?:\\.|(?!\1).)*\1""")


def in_php(text: str, values: Mapping[str, str]) -> str:
    """Return a PHP file in which the last assignment of each key gives its value.

    A key that is not assigned, or last by something else than a constant, gets a line at the end.
    """
    places = php.places(text)
    lasting = {key for key in values if key in places}
    for key in sorted(lasting, key=lambda one: places[one], reverse=True):
        first, behind = places[key]
        text = f"{text[:first]}{settings.php_value(values[key])}{text[behind:]}"
    new = "".join(
        f"{settings.line(key, value, Form.PHP)}\n"
        for key, value in values.items()
        if key not in lasting
    )
    return _appended(text, new) if new else text


def in_dotenv(text: str, values: Mapping[str, str]) -> str:
    """Return a `.env` in which the last line of each key, or a new one, gives its value."""
    lines = text.splitlines(keepends=True)
    for key, value in values.items():
        spelled = _spelled(lines, key)
        at = _last(lines, spelled)
        if at is None:
            _end_line(lines)
            lines.append(f"{settings.line(key, value, Form.DOTENV)}\n")
        elif found := _DOTENV.match(lines[at].rstrip("\r\n")):
            end = lines[at][len(lines[at].rstrip("\r\n")) :]
            rest = _behind(found["value"], r"\s+#")
            lines[at] = f"{found['before']}{settings.dotenv_value(value)}{rest}{end}"
    return "".join(lines)


def in_ini(text: str, values: Mapping[str, str]) -> str:
    """Return an ini file in which the last line of each key that it has gives its value."""
    lines = text.splitlines(keepends=True)
    for key, value in values.items():
        for at in range(len(lines) - 1, -1, -1):
            name, separator, old = lines[at].rstrip("\r\n").partition("=")
            if separator and name.strip().removeprefix("$") == key:
                end = lines[at][len(lines[at].rstrip("\r\n")) :]
                rest = _behind(old, r"\s*;")
                lines[at] = f"{name}={settings.ini_value(value)}{rest}{end}"
                break
    return "".join(lines)


def _behind(value: str, comment: str) -> str:
    """Return what stands behind a value: its comment."""
    quoted = _QUOTED.match(value.strip())
    if quoted:
        return value.strip()[quoted.end() :]
    found = re.search(comment, value)
    return value[found.start() :] if found else ""


def _appended(text: str, lines: str) -> str:
    """Return a PHP file with lines at its end: before the closing tag, where there is one."""
    head, closing, tail = text.rpartition("?>")
    if closing and not tail.strip():
        return f"{head}{'' if head.endswith(chr(10)) else chr(10)}{lines}{closing}{tail}"
    if not text.strip():
        return f"<?php\n{lines}"
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{lines}"


def _spelled(lines: list[str], key: str) -> str:
    """Return how a key is written: with dots, which win, or with underscores."""
    other = key.replace(".", "_")
    return other if _last(lines, key) is None and _last(lines, other) is not None else key


def _last(lines: list[str], key: str) -> int | None:
    for at in range(len(lines) - 1, -1, -1):
        found = None if lines[at].lstrip().startswith("#") else _DOTENV.match(lines[at])
        if found and found["name"] == key:
            return at
    return None


def _end_line(lines: list[str]) -> None:
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
