"""`wrap`: which steps scripts make; copies of them as they are, and a revision for each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collec_migrations import sql
from collec_migrations import versions as library
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.postgres import files
from collec_migrations.versions import Revision, Source
from collec_migrations.wrap import revision, script, steps
from collec_migrations.wrap.script import Script
from collec_migrations.wrap.steps import Step

PROBE = {"gacl": "another gacl", "col": "another col"}
"""Names unlike those of the scripts: what cannot be bound under some names, is not under these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A step that was wrapped."""

    step: Step
    script: Script
    unbound: str
    """Why it can run only with the default names of the schemas; empty: with any."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was found, which `write` does."""

    folder: Path
    """Where it writes."""
    variables: Mapping[str, str]
    """What psql would be given."""
    added: list[Wrapped] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    """Versions that were wrapped before by the same script."""
    changed: list[str] = field(default_factory=list)
    """Versions whose script is another now; nothing was written for them."""
    handed_over: list[str] = field(default_factory=list)
    """Versions that the chain itself has by now: what was wrapped for them is removed."""
    left_out: tuple[Path, ...] = ()
    """Files that are named like a step and were not taken."""

    @property
    def has_work(self) -> bool:
        """Say whether there is anything to write or to remove."""
        return bool(self.added or self.handed_over)


def write(found: Outcome) -> None:
    """Write copies and revisions; remove the revisions of versions that were handed over."""
    for one in superseded(found.folder):
        one.path.unlink()
    for wrapped in found.added:
        for source in wrapped.script.sources:
            if not (found.folder / source.name).is_file():
                _put(found.folder / source.name, files.read(source.path))
        text = revision.text(
            old=wrapped.step.old,
            new=wrapped.step.new,
            scripts=[path.name for path in wrapped.step.files],
            checksum=wrapped.script.checksum,
            variables=found.variables,
        )
        _put(found.folder / revision.file_name(wrapped.step.new), text.encode())


def survey(
    given: Sequence[Path],
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Return what scripts, or all of a folder, become in the site's folder or another one.

    Nothing is written. Raise when a script cannot be wrapped, or leaves a gap.
    """
    outcome = Outcome(folder=folder or library.site_folder(), variables=variables or {})
    outcome.handed_over = [one.version for one in superseded(outcome.folder)]
    found = steps.find(given)
    outcome.left_out = found.left_out
    known = {one.version: one for one in library.read_revisions(outcome.folder)}
    known |= {one.version: one for one in library.read_revisions(library.versions_folder())}
    chain = [one.version for one in library.ordered(known.values())]
    new, there = steps.continuing(found.steps, chain)
    for step in there:
        if known[step.new].checksum:
            read = script.read(step.files, variables)
            same = read.checksum == known[step.new].checksum
            (outcome.unchanged if same else outcome.changed).append(step.new)
    for step in new:
        read = script.read(step.files, variables)
        outcome.added.append(Wrapped(step=step, script=read, unbound=_unbound(read)))
    _refuse_taken([source for one in outcome.added for source in one.script.sources], outcome)
    return outcome


def superseded(folder: Path) -> tuple[Revision, ...]:
    """Return the wrapped revisions of a folder whose versions the chain itself has by now."""
    built_in = {one.version for one in library.read_revisions(library.versions_folder())}
    if folder.resolve() == library.versions_folder().resolve():
        return ()
    found = library.read_revisions(folder) if folder.is_dir() else ()
    return tuple(one for one in found if one.version in built_in and one.checksum)


def _unbound(found: Script) -> str:
    try:
        for part in found.parts:
            sql.bind(part.sql, PROBE, shown=part.source.shown)
    except MigrationError as error:
        return str(error)
    return ""


def _refuse_taken(sources: Sequence[Source], outcome: Outcome) -> None:
    """Raise when a copy would replace another script's, new or there already."""
    found: dict[str, Source] = {}
    for source in sources:
        other = found.setdefault(source.name, source)
        copy = outcome.folder / source.name
        differs = other.checksum != source.checksum
        if differs or (copy.is_file() and files.read(copy) != files.read(source.path)):
            raise UsageError(
                f"{source.path} and {other.path if differs else copy} are not the same,"
                f" and would be one file in {outcome.folder}",
                hint="Rename one of them, also where it is included; or remove the copy, if no "
                "wrapped version needs it any more.",
            )


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, its folder too."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_public(path, content)
    except OSError as error:
        raise MigrationError(
            f"cannot write {path}: {error.strerror}",
            hint="Versions that were written before are whole: make room for it, or let this"
            " account write there, and run it again.",
        ) from None
