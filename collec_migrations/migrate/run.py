"""One pair of schemas in one run: which parts of which scripts are sent, and what is recorded."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from collec_migrations import sql
from collec_migrations import versions as library
from collec_migrations.bridge import history
from collec_migrations.catalog import Catalog
from collec_migrations.migrate import (
    archiving,
    installation,
    levels,
    refusing,
    removal,
    wrapped_step,
)
from collec_migrations.migrate.sinks import Sink
from collec_migrations.migrate.wrapped_step import WrappedStep
from collec_migrations.names import Names
from collec_migrations.settings import Settings


@dataclass(slots=True, kw_only=True)
class Run:
    """The state of a run for one pair; Alembic calls it through the revisions."""

    names: Names
    settings: Settings
    sink: Sink
    versions: Sequence[str]
    """All versions of the chain, oldest first."""
    upgrade_scripts: Mapping[str, str]
    """The script that leads to each version, where there is one."""
    rights_version: str | None
    """The version of the rights schema, which another data schema may have stepped up."""
    rights_held: str | None = None
    """The newest version at which another data schema needs the rights schema; None: none does."""
    reverse_scripts: Mapping[str, str] = field(default_factory=dict)
    """The script that leads from each version to the one before."""
    creations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The scripts, for (gacl, col), that create a version, where there are some."""
    remark: str = ""
    """What the caller wants to stand in the history of each step, such as a backup's name."""
    announcements: list[str] = field(default_factory=list)
    """What the user is told once everything is committed."""
    site_facts: dict[str, Catalog] = field(default_factory=dict)
    """What wrapped versions hold, by version, to be kept once everything is committed."""
    wrapped: list[WrappedStep] = field(default_factory=list)
    """The wrapped steps so far."""
    _module: Any = None
    _version: str = ""
    _started: datetime = datetime.min
    _sent: list[library.Source] = field(default_factory=list)
    _rights_changed: bool = False

    def foresee(self, steps: Sequence[Any]) -> None:
        """Refuse a way back that there is not, and, unless it was asked for, to remove everything
        while there are rows of users."""
        wrapped_step.refuse_way_back(steps)
        self.sink.inspect(lambda _: wrapped_step.refuse_unsaved(steps, self.remark))
        if not steps or self.settings.destroy or not removal.is_removal(steps[-1]):
            return
        with refusing.rows_named():
            self.sink.execute(self._guard(steps[0].revision.revision))

    def begin(self, step: Any) -> None:
        """Learn which of Alembic's steps comes next."""
        self._version = step.revision.revision if hasattr(step, "revision") else ""
        self._module = step.revision.module if hasattr(step, "revision") else None
        self._started = datetime.now(UTC)
        self._sent = []
        self._rights_changed = False

    def searching(self) -> AbstractContextManager[None]:
        """Give the statements of a site's own step the path that its author expects.

        Our scripts name the schema of everything; wrapped ones get their path as they are sent.
        """
        if Path(self._module.__file__).parent == library.versions_folder():
            return nullcontext()
        return self.sink.searching(wrapped_step.starting_path(self.names))

    def upgrade(self, script: str) -> None:
        """Send the script; its part for a rights schema that is that far already is left out."""
        source = library.load(script)
        if self._behind(self._version):
            self._send(source, source.text)
            self._step_rights(self._version)
        else:
            self._send(source, sql.part(source.text, "col"))

    def create(self, gacl_script: str, col_script: str) -> None:
        """Send the creation scripts; an older rights schema is stepped up instead.

        A data schema that joins shares the rights that are there: the application looks in
        `aclappli`, `aclaco` and `aclacl` under its code ($GACL_aco), not under a schema's name.
        Its own rights would need rows under another code, which its administrators enter.
        """
        if self.rights_version is None:
            source = library.load(gacl_script)
            self._send(source, source.text)
            self.announcements += installation.complete(self.sink, self.names, self.settings)
            self._step_rights(self._version)
        for version in self._between(self.rights_version, self._version):
            source = library.load(self.upgrade_scripts[version])
            self._send(source, sql.part(source.text, "gacl"))
            self._step_rights(version)
        source = library.load(col_script)
        self._send(source, source.text)

    def downgrade(self, script: str) -> None:
        """Send the script; the rights schema follows as far as no other data schema needs it."""
        source = library.load(script)
        reached = self._before(self._version)
        leaving = self._rights_to_leave(reached)
        self._check_archives(reached, leaving)
        if not leaving:
            self._announce_rights_kept()
        with refusing.dependents_named():
            if leaving == (self._version,):
                self._send(source, source.text)
                self._step_rights(reached)
                return
            self._send(source, sql.part(source.text, "col"))
            for version in leaving:
                source = library.load(self.reverse_scripts[version])
                self._send(source, sql.part(source.text, "gacl"))
                self._step_rights(self._before(version))

    def upgrade_wrapped(self, script: str, checksum: str, variables: Mapping[str, str]) -> None:
        """Send a script of the application's own, and tell what it took away."""
        folders = (Path(self._module.__file__).parent, library.scripts_folder())
        step = WrappedStep(
            version=self._version,
            script=wrapped_step.read(script, checksum, variables, folders),
            names=self.names,
            whole=self._behind(self._version),
        )
        self.wrapped.append(step)
        step.send(self.sink)
        self._sent += step.script.sources
        self.announcements += step.lines
        if step.catalog is not None and step.whole:
            self.site_facts[self._version] = step.catalog
        if step.whole:
            self._step_rights(self._version)

    def record(self, *, version: str | None, kind: history.Kind) -> None:
        """Add the step that has just been taken to the history of each schema it changed."""
        entry = history.Entry(
            version=version,
            kind=kind,
            script=", ".join(source.name for source in self._sent),
            checksum=library.checksum(*(source.text for source in self._sent))
            if self._sent
            else "",
            note=self.remark,
            started=self._started,
            duration=datetime.now(UTC) - self._started,
        )
        self.sink.record(self.names.col, entry)
        if self._rights_changed:
            self.sink.record(self.names.gacl, replace(entry, version=self.rights_version))
        self.sink.settle()

    def _send(self, source: library.Source, text: str) -> None:
        bound = sql.bind(text, self.names.by_default_name, shown=source.shown)
        self.sink.send(bound, shown=source.shown)
        self._sent.append(source)

    def _announce_rights_kept(self) -> None:
        message = (
            f"the rights schema {self.names.gacl!r} stays at {self.rights_version}: "
            "another data schema needs it"
        )
        if self.rights_held and message not in self.announcements:
            self.announcements.append(message)

    def _guard(self, version: str) -> str:
        """Return the statement that fails when a user's row is in a schema that is removed."""
        at = {"col": version}
        if self.rights_version and self.rights_held is None:
            at["gacl"] = self.rights_version
        return removal.guard(
            self.settings.pairs,
            self.names,
            at=at,
            creations=self.creations,
            versions=self.versions,
        )

    def _check_archives(self, reached: str | None, leaving: Sequence[str]) -> None:
        """Refuse the step when rows that it removes could not be kept."""
        rights = [(version, self._before(version)) for version in leaving]
        for step in archiving.steps(self.names, (self._version, reached), rights):
            self.sink.inspect(partial(archiving.check, step=step))

    def _step_rights(self, version: str | None) -> None:
        self.rights_version = version
        self._rights_changed = True

    def _behind(self, version: str) -> bool:
        """Return whether the rights schema is older than `version`."""
        return version in self._between(self.rights_version, version)

    def _rights_to_leave(self, reached: str | None) -> tuple[str, ...]:
        """Return the versions that the rights schema leaves, newest first."""
        if self.rights_version is None:
            return ()
        return levels.leaving(
            self.versions, at=self.rights_version, needed=(reached, self.rights_held)
        )

    def _between(self, old: str | None, new: str) -> Sequence[str]:
        """Return the versions after `old` up to `new`."""
        return levels.between(self.versions, old, new)

    def _before(self, version: str) -> str | None:
        """Return the version before, or None for the first one."""
        return levels.before(self.versions, version)
