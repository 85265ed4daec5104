"""Measure the house: its size, its rooms, and what of it a command passes through.

`python -m tools.figures [BEFORE]` prints a Markdown table of this checkout, beside another one such
as an older worktree; `python -m tools.figures way PROGRAM ARGUMENTS ...` runs a command (alembic or
collec-migrations) and prints how many of our files, functions and types it used.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import gettempdir
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


def room(module: str, root: Path = ROOT) -> str:
    """Return the room of a module: its first name below the package, `root` for a root file."""
    parts = module.split(".")
    is_root_file = len(parts) == 2 and not (root / PACKAGE / parts[1]).is_dir()
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


def lines(root: Path, *folders: str, suffix: str = ".py") -> int:
    """Return the lines of all files of a kind below folders of a checkout."""
    return sum(
        len(path.read_text("utf-8", errors="replace").splitlines())
        for folder in folders
        for path in (root / folder).rglob(f"*{suffix}")
    )


def static(root: Path) -> dict[str, int]:
    """Return the figures that the files of a checkout alone tell."""
    known = modules(root / PACKAGE)
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in known.items()}
    pairs = {
        (room(name, root), room(target, root))
        for name, tree in trees.items()
        for target in imports(tree, known)
        if room(name, root) != room(target, root)
    }
    called: dict[str, int] = defaultdict(int)
    private: set[str] = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("_"):
                private.add(node.name)
            elif isinstance(node, ast.Name | ast.Attribute):
                called[node.id if isinstance(node, ast.Name) else node.attr] += 1
    tests = [ast.parse(path.read_text("utf-8")) for path in (root / "tests").rglob("test_*.py")]
    return {
        "Python lines of the package": lines(root, PACKAGE),
        "modules": len(known),
        "names at the top": len({name.split(".")[1] for name in known if "." in name}),
        "rooms": len({room(name, root) for name in known} - {"root"}),
        "pairs of rooms": len(pairs),
        "dataclasses": sum(is_dataclass(one) for tree in trees.values() for one in ast.walk(tree)),
        "private functions used once": sum(called[name] == 1 for name in private),
        "SQL lines of scripts": lines(root, "legacy_sql", suffix=".sql"),
        "SQL lines of 1.0.8 to 1.1": len(script(root, "upgrade-1.0.8-1.1.sql")),
        "SQL lines of 1.1 to 1.0.8": len(script(root, "downgrade-1.1-1.0.8.sql")),
        "lines of tests": lines(root, "tests"),
        "test functions": sum(
            isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
            for tree in tests
            for one in ast.walk(tree)
        ),
        "test cases": cases(root),
    }


def script(root: Path, name: str) -> list[str]:
    """Return the lines of a script, none where it is missing."""
    path = root / "legacy_sql" / name
    return path.read_text("utf-8").splitlines() if path.is_file() else []


def cases(root: Path) -> int:
    """Return how many cases pytest collects in a checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", "-p", "no:cacheprovider"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    found = re.search(r"(\d+)(?:/\d+)? tests collected", done.stdout)
    return int(found[1]) if found else 0


def ways() -> dict[str, dict[str, int]]:
    """Return what three commands pass through, each in a process of its own."""
    # Their servers are those of the tests.
    from tests import accounts, clusters, primaries, servers

    code = "from tools import figures; figures.main()"
    found = {}
    with servers.running(18) as server, server.database() as address:
        ini = str(ROOT / "alembic.ini")
        given = ("-x", f"url={address.url}", "-x", "without_postgis=yes")
        commands = {
            "alembic upgrade head": ("alembic", "-c", ini, *given, "upgrade", "head"),
            "detect": ("collec-migrations", "detect", "--url", address.url),
        }
        for name, words in commands.items():
            found[name] = json.loads(accounts.run(code, "way", *words).splitlines()[-1])
    with clusters.site(18, Path(gettempdir())) as site:
        prepared = primaries.prepare(site)
        words = (*prepared.words("figures", "--listen", f":{clusters.free_port()}"), "--yes")
        said = accounts.run(code, "way", "collec-migrations", *words)
        found["replica clone"] = json.loads(said.splitlines()[-1])
        prepared.remove("figures")
    return found


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


def table(before: Path | None) -> Iterator[str]:
    """Yield the lines of the table."""
    now = static(ROOT)
    then = static(before) if before else {}
    yield "| | before | now |" if before else "| | now |"
    yield "|---|---|---|" if before else "|---|---|"
    for name, value in now.items():
        cells = [f"{then[name]:,}"] if before else []
        yield f"| {' | '.join([name, *cells, f'{value:,}'])} |"
    for name, used in ways().items():
        told = ", ".join(f"{count} {what}" for what, count in used.items())
        yield f"| {' | '.join([f'way of `{name}`', *([''] if before else []), told])} |"


def main() -> None:
    """Print the figures that were asked for."""
    words = sys.argv[1:]
    if words[:1] == ["way"]:
        sys.stdout.write(json.dumps(way(words[1], words[2:])) + "\n")
    else:
        sys.stdout.write("\n".join(table(Path(words[0]) if words else None)) + "\n")


if __name__ == "__main__":
    main()
