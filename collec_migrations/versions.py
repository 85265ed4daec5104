"""The known versions of the database, in order, each with what a sound database of it contains."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from collec_migrations import trust
from collec_migrations.catalog import Catalog, of_trigram_extension
from collec_migrations.errors import ScriptUnreadable

_PACKAGE = Path(__file__).parent
_SOURCE = _PACKAGE.parent
_CATALOGS = _PACKAGE / "data" / "catalogs"
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})+")


def order(version: str) -> tuple[int, ...]:
    """Return what versions are sorted by: 24.0 comes after 2.8.1, 1.2.3 after 1.2."""
    return tuple(int(part) for part in version.split("."))


BUILT_IN = tuple(sorted((path.stem for path in _CATALOGS.glob("*.json")), key=order))
"""Every version that the package has a catalog of, oldest first: to add one is to add a version."""
VERSIONS: tuple[str, ...]
"""The same, and the site's own later ones: what a wrapped step left is kept beside its script."""


def __getattr__(name: str) -> tuple[str, ...]:
    if name != "VERSIONS":
        raise AttributeError(name)
    return _known()


def _known() -> tuple[str, ...]:
    if not trust.is_trusted(site_folder()):
        return BUILT_IN
    own = (path.stem for path in site_folder().glob("*.json"))
    later = (one for one in own if _NUMBER.fullmatch(one) and order(one) > order(BUILT_IN[-1]))
    return (*BUILT_IN, *sorted(later, key=order))


FIRST_RECORDED = "1.0.8"
"""The first version that says its number, in table `dbversion`."""


class Shape(StrEnum):
    """How a database came to its version; both are legitimate and differ in details."""

    UPGRADED = "upgraded"
    FRESH = "fresh"
    INSTALLER = "installer"
    """What the installer of one of the version's releases left, where that is yet another."""


def position(version: str) -> int:
    """Return where a known version stands in the order of versions."""
    # The site's own versions come after these; asked for every difference, it lists no folder.
    return BUILT_IN.index(version) if version in BUILT_IN else _known().index(version)


def previous(version: str) -> str | None:
    """Return the version before, None for the first one."""
    place = position(version)
    return _known()[place - 1] if place else None


def is_recorded(version: str) -> bool:
    """Say whether a sound database of this version has a row with its number in `dbversion`."""
    return position(version) >= position(FIRST_RECORDED)


def steps() -> tuple[tuple[str, str], ...]:
    """Return each version with the next one."""
    return tuple(pairwise(_known()))


def catalog(version: str, shape: Shape = Shape.UPGRADED) -> Catalog | None:
    """Return what a sound database of this version and shape contains; None: shape not known."""
    if version in BUILT_IN:
        return _built_in(version, shape)
    return site_catalog(version) if shape is Shape.UPGRADED else None


def site_catalog(version: str) -> Catalog | None:
    """Return what the site's own step to a version left; None where that is not kept."""
    path = site_folder() / f"{version}.json"
    if not path.is_file():
        return None
    try:
        return Catalog.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ScriptUnreadable(
            f"{path} is no catalog: {error}",
            hint=f"Remove it: {version} is unknown then, until its step runs on another database.",
        ) from None


@cache
def _built_in(version: str, shape: Shape) -> Catalog | None:
    path = _file(version, shape)
    if path is None or not path.exists():
        return None
    stored = Catalog.from_json(path.read_text(encoding="utf-8"))
    return Catalog(frozenset(fact for fact in stored.facts if not of_trigram_extension(fact)))


def _file(version: str, shape: Shape) -> Path | None:
    """Return the file of a shape; that of an installer is named by its release: 24.1.6 has 24.1."""
    if shape is Shape.UPGRADED:
        return _CATALOGS / f"{version}.json"
    if shape is Shape.FRESH:
        return _CATALOGS / "fresh" / f"{version}.json"
    return next(iter((_CATALOGS / "installers").glob(f"{version}.[0-9].json")), None)


def upgraded(version: str) -> Catalog:
    """Return the catalog that every version has."""
    found = catalog(version)
    if found is None:
        raise KeyError(version)
    return found


def shapes(version: str) -> tuple[tuple[Shape, Catalog], ...]:
    """Return the known shapes of a version with their catalogs, the chain's own first."""
    known = ((shape, catalog(version, shape)) for shape in Shape)
    return tuple((shape, found) for shape, found in known if found is not None)


_SAID = re.compile(
    r"""^(revision|down_revision|script|checksum)\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a revision file says."""

    version: str
    parent: str | None
    script: str
    """Names of the files in their order, separated by commas; empty: it creates."""
    checksum: str
    """Empty for a version that was not wrapped."""
    path: Path


def read_revisions(folder: Path) -> tuple[Revision, ...]:
    """Return the revisions in a folder, none when it is missing, without importing them."""
    found = []
    for path in sorted(folder.glob("*.py")):
        said = dict(_SAID.findall(path.read_text("utf-8", "replace")))
        if "revision" in said:
            found.append(
                Revision(
                    version=said["revision"],
                    parent=said.get("down_revision"),
                    script=said.get("script", ""),
                    checksum=said.get("checksum", ""),
                    path=path,
                )
            )
    return tuple(found)


def ordered(found: Iterable[Revision]) -> tuple[Revision, ...]:
    """Return revisions as a chain, oldest first; the last of two with the same parent counts."""
    following = {one.parent: one for one in found}
    chain: list[Revision] = []
    at: str | None = None
    while at in following:
        chain.append(following[at])
        at = chain[-1].version
    return tuple(chain)


def in_chain(folder: Path | None = None) -> tuple[str, ...]:
    """Return the known versions that have a revision, in order; reads files, no Alembic."""
    folders = [folder] if folder else [versions_folder(), site_folder()]
    found = {one.version for folder in folders for one in read_revisions(folder)}
    return tuple(version for version in _known() if version in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a revision says of its step beside the scripts; see `docs/developing.md`."""

    revision: str = ""
    down_revision: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    """Table or column as the older version names it, to its new own name."""
    deletes: Mapping[str, str] = field(default_factory=dict)
    """Table to the condition on rows that a script of the step deletes."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Column to the condition on rows whose value a script rewrites; empty: all."""
    computes: tuple[str, ...] = ()
    """Columns of which what a script computes is right, whatever is in the archive."""
    fills: Mapping[str, str] = field(default_factory=dict)
    """Rows of dbparam that are filled from the application's settings, where they are null."""
    creation: tuple[str, str] | None = None
    """The scripts, for (gacl, col), that create the version."""


@cache
def revisions() -> Mapping[str, Declared]:
    """Return what the built-in revisions declare, by version; reads files, imports none."""
    known = {item.name for item in fields(Declared)}
    found = {}
    for path in sorted(versions_folder().glob("*.py")):
        told = {}
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name in known:
                    told[name] = ast.literal_eval(node.value)
        if "revision" in told:
            found[told["revision"]] = Declared(**told)
    return found


def declared(version: str) -> Declared:
    """Return what the revision of a version declares; nothing for one that is not built in."""
    return revisions().get(version) or Declared(revision=version)


@cache
def renamed(
    old: str | None, new: str | None, role: str
) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return the tables and the columns of a schema that have another name after a step.

    Columns by table and name before the step; both versions are neighbours, in either direction.
    """
    tables: dict[str, str] = {}
    columns: dict[tuple[str, str], str] = {}
    if old is None or new is None:
        return tables, columns
    is_upgrade = order(new) > order(old)
    for name, other in declared(new if is_upgrade else old).renames.items():
        where, table, *column = name.split(".")
        if where != role:
            continue
        if column:
            columns[table, column[0]] = other
        else:
            tables[table] = other
    if is_upgrade:
        return tables, columns
    back = {(tables.get(table, table), now): was for (table, was), now in columns.items()}
    return {now: was for was, now in tables.items()}, back


def removed(old: str, new: str, role: str) -> tuple[tuple[str, str | None], ...]:
    """Return the tables, and columns of tables that stay, that a version lacks, by the names of
    the version before; from any known version to any other, renames followed step by step."""
    start, end = position(old), position(new)
    path = _known()[start : end + 1] if end > start else _known()[end : start + 1][::-1]
    names = {
        (table, column or None): (table, column or None)
        for fact in upgraded(old).facts
        if fact.role == role and fact.kind in ("table", "column")
        for table, _, column in (fact.name.partition("."),)
    }
    gone = []
    for before, after in pairwise(path):
        tables, columns = renamed(before, after, role)
        there = {fact.name for fact in upgraded(after).facts
                 if fact.role == role and fact.kind in ("table", "column")}  # fmt: skip
        for first, (table, column) in list(names.items()):
            living = tables.get(table, table)
            other = columns.get((table, column), column) if column else None
            if (f"{living}.{other}" if other else living) in there:
                names[first] = (living, other)
                continue
            del names[first]
            gone.append(first)
    whole = {table for table, column in gone if column is None}
    return tuple(sorted(
        (one for one in gone if one[1] is None or one[0] not in whole),
        key=lambda one: (one[0], one[1] or ""),
    ))  # fmt: skip


def script_names(old: str | None, new: str | None) -> tuple[str, ...]:
    """Return the scripts that lead from a version to its neighbour, in the order of a run."""
    if new is None:
        names = [f"drop-{old}.sql"]
    elif old is None:
        names = list(declared(new).creation or ())
    elif order(new) > order(old):
        names = [f"upgrade-{old}-{new}.sql", f"upgrade-{old}-{new}-postgis.sql"]
    else:
        names = [f"downgrade-{old}-{new}-postgis.sql", f"downgrade-{old}-{new}.sql"]
    folder = scripts_folder()
    return tuple(name for name in names if (folder / name).is_file())


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A script as it stands in its file, with the default schema names."""

    name: str
    path: Path
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, blind to line ends and to a byte-order mark."""
        return checksum(self.text)

    @property
    def shown(self) -> str:
        """The script's name for messages: its folder and file."""
        return str(Path(self.path.parent.name) / self.name)


def checksum(*texts: str) -> str:
    """Return the SHA-256 of scripts in this order, blind to line ends and byte-order marks."""
    return sha256("".join(_plain(text) for text in texts).encode()).hexdigest()


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def current_checksum(names: str) -> str | None:
    """Return the checksum of scripts as history stores it, `names` being separated by commas.

    None when one of them is not at hand: there is nothing to compare with.
    """
    try:
        return checksum(*(load(name).text for name in names.split(", ")))
    except ScriptUnreadable:
        return None


def scripts_folder() -> Path:
    """Return the folder of the SQL scripts: in the wheel, or beside the package's source."""
    return _first_folder(_PACKAGE / "legacy_sql", _SOURCE / "legacy_sql")


def versions_folder() -> Path:
    """Return the folder of the revisions: in the wheel, or beside the package's source."""
    return _first_folder(_PACKAGE / "migrate" / "alembic" / "versions", _SOURCE / "versions")


def site_folder() -> Path:
    """Return the folder of a site's own versions, beside its alembic.ini; it may be missing."""
    return Path("collec-versions")


def load(name: str, *, folder: Path | None = None) -> Source:
    """Return the script of this name, built in or wrapped by the site.

    Raises `ScriptUnreadable` when it cannot be read.
    """
    path = (folder or _home(name)) / name
    try:
        return Source(name=name, path=path, text=path.read_text("utf-8-sig"))
    except OSError as error:
        raise ScriptUnreadable(
            f"cannot read the script {path}: {error.strerror}",
            hint="Is the package installed completely, and may this account read it?",
        ) from None
    except UnicodeDecodeError:
        raise ScriptUnreadable(f"the script {path} is not UTF-8") from None


def _home(name: str) -> Path:
    """Return the folder that has a script: a site's own, when the built-in one has not."""
    built_in = scripts_folder()
    is_wrapped = not (built_in / name).is_file() and (site_folder() / name).is_file()
    if is_wrapped:
        trust.check(site_folder())
    return site_folder() if is_wrapped else built_in


def _first_folder(*candidates: Path) -> Path:
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise ScriptUnreadable(
        f"the folder {candidates[0]} is missing", hint="Install the package again."
    )
