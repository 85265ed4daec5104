"""Rooms: from outside, only what a room's `__init__` hands out is imported."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import collec_migrations

PACKAGE = Path(collec_migrations.__file__).parent
ROOMS = sorted(folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file())
OPEN = {
    "migrate": "the engine is being replaced",
    "postgres": "a library, not verbs: each module is imported by its own name",
    "sql": "the engine is being replaced",
}
"""Rooms whose inner modules others still import, with the reason."""


@cache
def imported(path: Path) -> tuple[tuple[str, ...], ...]:
    """Return each thing of the package that a module imports, as parts of its dotted name."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{one.name}" for one in node.names]
        else:
            continue
        yield from (
            tuple(name.split(".")[1:]) for name in names if name.startswith("collec_migrations.")
        )


def intrusions(room: str) -> list[str]:
    """Return each import from outside of what a room does not hand out."""
    handed_out = getattr(import_module(f"collec_migrations.{room}"), "__all__", ())
    return [
        f"{path.relative_to(PACKAGE)} imports {'.'.join(name)}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != room
        for name in imported(path)
        if name[0] == room and len(name) > 1 and (len(name) > 2 or name[1] not in handed_out)
    ]


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in OPEN])
def test_only_what_a_room_hands_out_is_imported_from_outside(room: str) -> None:
    assert intrusions(room) == []
