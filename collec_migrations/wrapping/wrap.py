"""`wrap`: copy the application's scripts as they are, and write a revision for each step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collec_migrations import versions as library
from collec_migrations import versions as releases
from collec_migrations.errors import UsageError
from collec_migrations.scripts import Doubt
from collec_migrations.wrapping import (
    chain,
    choices,
    copying,
    errata,
    naming,
    psql,
    revision,
    screening,
)
from collec_migrations.wrapping import reading as decoding
from collec_migrations.wrapping import script as reading
from collec_migrations.wrapping.chain import Step
from collec_migrations.wrapping.errata import Placement
from collec_migrations.wrapping.naming import Named
from collec_migrations.wrapping.revision import Revision
from collec_migrations.wrapping.script import Script

PROBE = {"gacl": "another gacl", "col": "another col"}
"""Names unlike those of the scripts: what could be in doubt under some names is under these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where revisions and scripts are written."""

    revisions: Path
    scripts: Path

    @classmethod
    def of(cls, into: Path | None) -> "Place":
        """Return the site's own folder; of a source tree its two; else the folder for both."""
        folder = into or library.site_folder()
        if (folder / "versions").is_dir() and (folder / "legacy_sql").is_dir():
            return cls(revisions=folder / "versions", scripts=folder / "legacy_sql")
        return cls(revisions=folder, scripts=folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A step that was wrapped, now or before."""

    step: Step
    script: Script
    errata: tuple[Placement, ...]
    doubts: tuple[tuple[str, Doubt], ...]
    """Literals still to be decided, with the name of their file."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What `wrap` did and found."""

    added: list[Wrapped] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    """Versions that were wrapped before by the same script."""
    changed: list[str] = field(default_factory=list)
    """Versions whose script is another now; nothing was written for them."""
    left_out: list[Path] = field(default_factory=list)
    """Scripts for versions that never were."""


def wrap(given: Sequence[Path], place: Place) -> Outcome:
    """Wrap scripts, or all of a folder; raise before anything is written when one cannot be."""
    found, left_out = _named(given)
    outcome = Outcome(left_out=left_out)
    known = {one.version: one for one in _revisions(place)}
    versions = [one.version for one in revision.ordered(known.values())]
    new, there = chain.continuing(chain.steps(found, _included(found)), versions)
    for step in there:
        _compare(step, known[step.new], outcome)
    outcome.added = [_read(step, place) for step in new]
    sources = (source for wrapped in outcome.added for source in wrapped.script.sources)
    copying.refuse_taken(sources, place.scripts)
    for wrapped in outcome.added:
        _write(wrapped, place)
    return outcome


def _named(given: Sequence[Path]) -> tuple[list[Named], list[Path]]:
    """Return the scripts among files and folders, and those for versions that never were."""
    found: list[Named] = []
    left_out: list[Path] = []
    for path in given:
        if path.is_dir():
            all_ = [one for file in sorted(path.iterdir()) if (one := naming.parse(file))]
            real, others = chain.real(all_, releases.VERSIONS)
            found += real
            left_out += [one.path for one in others]
            continue
        named = naming.parse(path)
        if named is None:
            raise UsageError(
                f"{path}: the name does not tell which step the script is for",
                hint="Name it upgrade-A-B.sql or col_alter_A-B.sql.",
            )
        found.append(named)
    found = list({named.path.resolve(): named for named in found}.values())
    if not found and not left_out:
        raise UsageError(
            f"no upgrade script in {', '.join(map(str, given))}",
            hint="Releases of the application have them in install/pgsql, older ones in install.",
        )
    return found, left_out


def _included(found: Iterable[Named]) -> chain.Included:
    """Return the names of the files that each script includes, without reading statements."""
    return {named: frozenset(_includes(named.path, depth=0)) for named in found}


def _includes(path: Path, *, depth: int) -> set[str]:
    names: set[str] = set()
    if depth > reading.DEEPEST or not path.is_file():
        return names
    for command in psql.commands(decoding.load(path).text):
        if command.name in screening.INCLUDES and command.arguments:
            target = reading.included(path.parent, command)
            names |= {target.name} | _includes(target, depth=depth + 1)
    return names


def _revisions(place: Place) -> tuple[Revision, ...]:
    """Return the built-in revisions and those in the place, each version once."""
    found = {one.version: one for one in revision.read(library.versions_folder())}
    found |= {one.version: one for one in revision.read(place.revisions)}
    return tuple(found.values())


def _compare(step: Step, known: Revision, outcome: Outcome) -> None:
    """Note whether the script of a version that was wrapped before is still the same."""
    if not known.checksum:
        return
    same = reading.read([named.path for named in step.files]).checksum == known.checksum
    (outcome.unchanged if same else outcome.changed).append(step.new)


def _read(step: Step, place: Place) -> Wrapped:
    script = reading.read([named.path for named in step.files])
    script.refuse()
    placed = errata.place(errata.of_step(step.title, errata.beside(place.scripts)), script.items)
    return Wrapped(step=step, script=script, errata=placed, doubts=_doubts(script))


def _doubts(script: Script) -> tuple[tuple[str, Doubt], ...]:
    return tuple((source.name, doubt) for source, doubt in choices.undecided(script, PROBE))


def _write(wrapped: Wrapped, place: Place) -> None:
    """Copy the files of a step byte by byte, then write its revision."""
    for source in wrapped.script.sources:
        copying.copy(source, place.scripts)
        _ask(source.name, wrapped, place.scripts / source.name)
    names = [named.path.name for named in wrapped.step.files]
    text = revision.text(
        old=wrapped.step.old,
        new=wrapped.step.new,
        scripts=names,
        checksum=wrapped.script.checksum,
    )
    path = place.revisions / revision.file_name(wrapped.step.new)
    copying.put(path, text.encode())


def _ask(name: str, wrapped: Wrapped, target: Path) -> None:
    """Write the file of choices for what is in doubt, unless there is one."""
    doubts = [doubt for file, doubt in wrapped.doubts if file == name]
    path = choices.beside(target)
    if doubts and not path.exists():
        copying.put(path, choices.questions(doubts).encode())
