"""Which scripts of a folder continue the chain of versions, told by the names of their files."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from collec_migrations import versions as releases
from collec_migrations.errors import ChainBroken, UsageError
from collec_migrations.postgres import files

_NUMBER = r"\d+(?:\.\d+)*"
_NAME = re.compile(
    rf"(?P<kind>(?:gacl|col)_alter|upgrade)[-_](?P<old>{_NUMBER})[-_](?P<new>\d+(?:[.-]\d+)*)\.sql",
    re.IGNORECASE,
)
"""`col_alter_A-B.sql`; `col_alter-A-B.sql` before 2018; `col_alter_2.6_2.7.sql` in 2.7.0 and
`col_alter_2.3-2-4.sql` in pre-releases; `gacl_alter_A-B.sql`; `upgrade-A-B.sql` in guides."""
_ALIKE = re.compile(r"(?:alter|upgrade|update|migrat).*\d.*\.sql", re.IGNORECASE)
"""What is named like a step and is none: it is told, not passed over."""

_INCLUDE = re.compile(r"^\s*\\i(?:r|nclude|nclude_relative)?\s+'?([^'\s]+)", re.MULTILINE)

RANK = {"upgrade": 0, "gacl_alter": 1, "col_alter": 2}
"""In which order the files of one step run: the application ran gacl's before col's."""

PLACES = ("install/pgsql", "install")
"""Where releases of the application have their scripts, newer ones first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the chain and the files that take it, in their order."""

    old: str
    new: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What files and folders hold."""

    steps: tuple[Step, ...]
    """Oldest first."""
    left_out: tuple[Path, ...]
    """Named like a step, and not taken."""


def find(given: Sequence[Path]) -> Found:
    """Return the steps among scripts and folders; raise `ChainBroken` for two scripts of one step.

    In a folder, older scripts are looked over for versions that never were: a release shipped one
    to 25.1, and nothing leads on from it.
    """
    named: dict[Path, tuple[str, str, str]] = {}
    left_out: list[Path] = []
    for path in given:
        if path.is_dir():
            for file in sorted(path.iterdir()):
                name = parse(file)
                if name and _is_real(name[2]):
                    named[file] = name
                elif name or (_ALIKE.search(file.name) and file.is_file()):
                    left_out.append(file)
            continue
        name = parse(path)
        if name is None:
            raise UsageError(
                f"{path}: the name does not tell which step the script is for",
                hint="Name it upgrade-A-B.sql or col_alter_A-B.sql.",
            )
        named[path] = name
    if not named and not left_out:
        raise UsageError(
            f"no upgrade script in {', '.join(map(str, given))}",
            hint="Releases of the application have them in install/pgsql, older ones in install.",
        )
    by_step: dict[tuple[str, str], list[Path]] = {}
    for path, (_, old, new) in named.items():
        by_step.setdefault((old, new), []).append(path)
    ordered = sorted(by_step, key=lambda step: (releases.order(step[0]), releases.order(step[1])))
    steps = tuple(Step(old=old, new=new, files=_files(by_step[old, new])) for old, new in ordered)
    return Found(steps=steps, left_out=tuple(left_out))


def of_application(folder: Path) -> Path | None:
    """Return the folder that has the upgrade scripts of an installed application, if any."""
    places = [folder / place for place in PLACES]
    return next((one for one in places if one.is_dir() and any(map(parse, one.iterdir()))), None)


def parse(path: Path) -> tuple[str, str, str] | None:
    """Return what a file's name says: kind, old and new version; None for no upgrade script."""
    found = _NAME.fullmatch(path.name)
    return (found["kind"].lower(), found["old"], found["new"].replace("-", ".")) if found else None


def _is_real(version: str) -> bool:
    newest = releases.VERSIONS[-1]
    return version in releases.VERSIONS or releases.order(version) > releases.order(newest)


def _files(found: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files of one step without those that another of them includes."""
    included = {Path(name).name for path in found for name in _includes(path)}
    kinds = {path: parsed[0] for path in found if (parsed := parse(path))}
    left = sorted((path for path in found if path.name not in included),
                  key=lambda path: RANK[kinds[path]])  # fmt: skip
    used = [kinds[path] for path in left]
    if len(set(used)) < len(used) or ("upgrade" in used and len(used) > 1):
        raise ChainBroken(
            f"two scripts for one step: {' and '.join(map(str, left))}",
            hint="Give the one that is right, by its name.",
        )
    return tuple(left)


def _includes(path: Path) -> Iterable[str]:
    return _INCLUDE.findall(files.read(path).decode("latin-1")) if path.is_file() else ()


def continuing(
    found: Sequence[Step], chain: Sequence[str]
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return the steps that continue the chain, and those that lead to versions it has.

    `chain` is the versions so far, oldest first. Raise `ChainBroken` for a gap or a fork.
    """
    new = [step for step in found if step.new not in chain]
    there = tuple(step for step in found if step.new in chain)
    head = chain[-1]
    for number, step in enumerate(new):
        if step.old == head:
            head = step.new
            continue
        if number and step.old == new[number - 1].old:
            raise ChainBroken(
                f"two ways lead on from {step.old}: to {new[number - 1].new} and to {step.new}",
                hint="Give the scripts of one of them, by their names.",
            )
        raise ChainBroken(
            f"a script from {head} is missing: the next one goes from {step.old} to {step.new}"
            f" ({step.files[0]})",
            hint=f"Give the script that leads from {head} on; releases of the application have "
            "it in the folder install/pgsql.",
        )
    return tuple(new), there
