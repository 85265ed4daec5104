"""Break one line at a time, at random places of the package, and see whether a test notices.

`python -m tools.mutants --seed 1 --number 30` copies the tree, breaks the copy in one place, runs
the tests that name the module or import it, and writes one line for each place.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("collec_migrations", "tests", "tools", "versions", "legacy_sql", "docs", "benchmarks",
         ".ci", "pyproject.toml", "alembic.ini", "README.md", "CHANGELOG.md", "Makefile",
         ".squawk.toml", ".gitignore", "LICENSE")  # fmt: skip
OTHER: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip

Place = tuple[Path, int, str, str]
"""File, line, what the line is, what it becomes."""


def places(path: Path) -> Iterator[Place]:
    """Yield each place of a module that can be broken, with the broken line."""
    lines = path.read_text("utf-8").splitlines()
    for node in ast.walk(ast.parse("\n".join(lines))):
        found = _broken(node, lines)
        if found:
            line, new = found
            yield path, line, lines[line - 1], new


def _broken(node: ast.AST, lines: list[str]) -> tuple[int, str] | None:
    """Return a line and what it becomes; None for what is left alone."""
    if not isinstance(node, ast.expr | ast.stmt) or node.lineno != node.end_lineno:
        return None
    line = lines[node.lineno - 1]
    if line.startswith("@"):  # options of a dataclass
        return None
    text = line.encode()
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = node.left.end_col_offset or 0, node.comparators[0].col_offset
        operator = f" {OTHER[type(node.ops[0])]} ".encode()
        return node.lineno, (text[:left] + operator + text[right:]).decode()
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        value = repr(not node.value if isinstance(node.value, bool) else node.value + 1)
        end = node.end_col_offset or 0
        return node.lineno, (text[: node.col_offset] + value.encode() + text[end:]).decode()
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        left, right = node.values[0].end_col_offset or 0, node.values[1].col_offset
        operator = b" or " if isinstance(node.op, ast.And) else b" and "
        return node.lineno, (text[:left] + operator + text[right:]).decode()
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return node.lineno, line[: node.col_offset] + "pass"
    if isinstance(node, ast.Raise):
        return node.lineno, line[: node.col_offset] + "pass"
    return None


def tests_of(path: Path) -> list[str]:
    """Return the files of tests that plausibly cover a module: those that name it, or its room."""
    parts = path.relative_to(ROOT / "collec_migrations").with_suffix("").parts
    word = re.compile(rf"\b{re.escape(parts[-1])}\b")
    room = re.compile(rf"\bcollec_migrations\.{re.escape(parts[0])}\b|test_{re.escape(parts[0])}")
    ranked = []
    for test in sorted((ROOT / "tests").rglob("test_*.py")):
        text = test.name + "\n" + test.read_text("utf-8")
        score = 2 * bool(word.search(text)) + bool(room.search(text))
        if score:
            ranked.append((-score, str(test.relative_to(ROOT))))
    return [name for _, name in sorted(ranked)]


def noticed(copy: Path, place: Place, tests: list[str], limit: int) -> str:
    """Run tests on a copy that is broken in a place; return who noticed, empty for nobody."""
    path, line, _, new = place
    target = copy / path.relative_to(ROOT)
    whole = target.read_text("utf-8")
    lines = whole.splitlines()
    lines[line - 1] = new
    try:
        while True:
            target.write_text("\n".join(lines) + "\n", "utf-8")
            who = first_failure(copy, tests, limit)
            target.write_text(whole, "utf-8")
            # What fails on the whole copy, too, notices nothing.
            if "::" not in who or not first_failure(copy, [who], limit):
                return who
            tests = [*tests, "--deselect", who]
    finally:
        target.write_text(whole, "utf-8")


def first_failure(copy: Path, tests: list[str], limit: int) -> str:
    """Return the first test that fails; empty if none does within the limit of time."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:randomly", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True, encoding="utf-8", timeout=limit, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    told = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.M)
    return (told[1] if told else f"status {done.returncode}") if done.returncode else ""


def main() -> None:
    """Break the places that the seed draws; print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=30)
    parser.add_argument("--limit", type=int, default=120, help="seconds for the tests of a place")
    parser.add_argument("--list", action="store_true", help="run nothing")
    options = parser.parse_args()
    every = [one for path in sorted((ROOT / "collec_migrations").rglob("*.py"))
             for one in places(path)]  # fmt: skip
    drawn = random.Random(options.seed).sample(every, options.number)
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=tempfile.gettempdir()) as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        for part in PARTS:
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / part)
        for number, place in enumerate(drawn, 1):
            path, line, old, new = place
            who = "" if options.list else noticed(copy, place, tests_of(path), options.limit)
            where = f"{path.relative_to(ROOT / 'collec_migrations')}:{line}"
            sys.stdout.write(f"| {number} | `{where}` | `{old.strip()}` → `{new.strip()}`"
                             f" | {who or 'NOBODY'} |\n")  # fmt: skip
            sys.stdout.flush()


if __name__ == "__main__":
    main()
