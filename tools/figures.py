"""Measure the house: its size, its rooms, and what of it a command passes through.

`python -m tools.figures` prints the static figures of the checkout it runs in;
`python -m tools.figures way PROGRAM ARGUMENTS ...` runs a command of this environment (alembic or
collec-migrations) and prints how many of our files, functions and types it used.
"""

import ast
import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGE = "collec_migrations"


def modules(folder: Path) -> dict[str, Path]:
    """Return the modules below a package's folder by dotted name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room(module: str) -> str:
    """Return the room of a module: its first name below the package, `root` for a root file."""
    parts = module.split(".")
    is_root_file = len(parts) == 2 and not (ROOT / PACKAGE / parts[1]).is_dir()
    return "root" if len(parts) == 1 or is_root_file else parts[1]


def imports(tree: ast.AST, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of ours that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


def is_dataclass(node: ast.AST) -> bool:
    """Say whether a node of a syntax tree defines a dataclass."""
    return isinstance(node, ast.ClassDef) and any(
        "dataclass" in ast.unparse(one) for one in node.decorator_list
    )


def lines(*folders: str, suffix: str = ".py") -> int:
    """Return the lines of all files of a kind below folders of the checkout."""
    return sum(
        len(path.read_text("utf-8", errors="replace").splitlines())
        for folder in folders
        for path in (ROOT / folder).rglob(f"*{suffix}")
    )


def static() -> dict[str, int]:
    """Return the figures that the files alone tell."""
    known = modules(ROOT / PACKAGE)
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in known.items()}
    pairs = {
        (room(name), room(target))
        for name, tree in trees.items()
        for target in imports(tree, known)
        if room(name) != room(target)
    }
    called: dict[str, int] = defaultdict(int)
    private: set[str] = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("_"):
                private.add(node.name)
            elif isinstance(node, ast.Name | ast.Attribute):
                called[node.id if isinstance(node, ast.Name) else node.attr] += 1
    entries = {name.split(".")[1] for name in known if "." in name}
    return {
        "lines of the package": lines(PACKAGE),
        "modules": len(known),
        "names at the top": len(entries),
        "rooms": len({room(name) for name in known} - {"root"}),
        "pairs of rooms": len(pairs),
        "dataclasses": sum(is_dataclass(one) for tree in trees.values() for one in ast.walk(tree)),
        "private functions used once": sum(called[name] == 1 for name in private),
        "lines of SQL scripts": lines("legacy_sql", suffix=".sql"),
        "lines of tests": lines("tests"),
    }


def way(program: str, arguments: list[str]) -> dict[str, int]:
    """Run a command in this process; count our files, functions and types on its way."""
    files: set[str] = set()
    functions: set[tuple[str, str]] = set()
    types: set[str] = set()

    def seen(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or f"/{PACKAGE}/" not in frame.f_code.co_filename:
            return
        code = frame.f_code
        if code.co_name == "<module>":
            return
        files.add(code.co_filename)
        functions.add((code.co_filename, code.co_qualname))
        first = frame.f_locals.get("self")
        if first is not None and type(first).__module__.startswith(PACKAGE):
            types.add(type(first).__qualname__)

    (entry,) = entry_points(group="console_scripts", name=program)
    sys.argv = [program, *arguments]
    main = entry.load()
    sys.setprofile(seen)
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        sys.setprofile(None)
    return {"files": len(files), "functions": len(functions), "types": len(types)}


def main() -> None:
    """Print the figures that were asked for, as JSON."""
    words = sys.argv[1:]
    found = way(words[1], words[2:]) if words[:1] == ["way"] else static()
    print(json.dumps(found, indent=1), file=sys.stderr if words else sys.stdout)


if __name__ == "__main__":
    if importlib.util.find_spec(PACKAGE) is None:
        sys.exit("install the package first")
    main()
