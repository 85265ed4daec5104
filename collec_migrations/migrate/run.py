"""One run on one pair of schemas: what each of Alembic's steps does."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import RevisionStep
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import sql
from collec_migrations import versions as library
from collec_migrations.bridge import history
from collec_migrations.errors import DowngradeRefused
from collec_migrations.migrate import (
    archive,
    chain,
    checks,
    removal,
    removed,
    required_extensions,
    wrapped_step,
)
from collec_migrations.migrate.sinks import Sink
from collec_migrations.migrate.wrapped_step import WrappedStep
from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.settings import Settings

if TYPE_CHECKING:
    from collec_migrations.migrate.job import Job


BOTH: tuple[sql.Role, sql.Role] = ("gacl", "col")
POSTGIS = "-postgis.sql"
EMPTY = {
    "APPLI_code": "labels printed before this upgrade are no longer found by their code",
    "APPLI_title": "the application's pages have no title",
}
"""What it breaks when these rows of dbparam have no value."""


@dataclass(slots=True, kw_only=True)
class Run:
    """The state of a run for one pair; Alembic calls it through the revisions."""

    job: "Job"
    names: Names
    sink: Sink
    rights_version: str | None
    """The version of the rights schema, which another data schema may have stepped up."""
    rights_held: str | None = None
    """The newest version at which another data schema needs the rights schema; None: none does."""
    remark: str = ""
    """What the caller wants to stand in the history of each step, such as a backup's name."""
    announcements: list[str] = field(default_factory=list)
    """What the user is told once everything is committed."""
    wrapped: list[WrappedStep] = field(default_factory=list)
    """The wrapped steps so far."""
    moves: Sequence[removed.Move] = ()
    """The way that each schema takes by the built-in steps."""
    _module: Any = None
    _version: str = ""
    _started: datetime = datetime.min
    _sent: list[library.Source] = field(default_factory=list)
    _rights_changed: bool = False
    _guarded: str = ""
    """The version at which a removal of everything looks for rows of users."""
    _keeps: bool = True
    """False: everything goes, and no row of it is a user's."""
    _ready: bool = False
    """Whether the functions of the archive are defined."""
    _dependents: tuple[removed.Dependent, ...] = ()
    """What the site has of its own on what the run takes away, to be dropped first."""

    def foresee(self, steps: Sequence[Any]) -> None:
        """Refuse a way back that there is not, and, unless it was asked for, to remove everything
        while there are rows of users."""
        wrapped_step.refuse_way_back(steps)
        if any(map(wrapped_step.is_wrapped, steps)):
            self.sink.inspect(lambda _: wrapped_step.refuse_unsaved(steps, self.remark))
        self.moves = self._moves(steps)
        if self.moves:
            self.sink.inspect(self._find_dependents)
        self._make_extensions(steps)
        self._ask_all(steps)
        if not steps or self.job.settings.destroy or not removal.is_removal(steps[-1]):
            return
        # Only a version that has creation scripts tells an installation's rows from a user's: the
        # steps down to it keep as always.
        passed = [step.revision.revision for step in steps]
        self._guarded = next(one for one in passed if one in self.job.creations)

    def _find_dependents(self, cursor: Cursor) -> None:
        """Refuse the run for what the site has of its own in its way, unless it may be dropped."""
        self._dependents = removed.find(cursor, self.names, self.moves)
        removed.refuse(self._dependents, allowed=self.job.settings.drop_dependents)

    def _moves(self, steps: Sequence[Any]) -> list[removed.Move]:
        """Return the way of each schema; none for one that is new."""
        taken = [
            step
            for step in steps
            if isinstance(step, RevisionStep) and step.revision.revision in library.BUILT_IN
        ]
        if not taken:
            return []
        first, last = taken[0].revision.revision, taken[-1].revision.revision
        moves = []
        if taken[0].is_upgrade:
            old = None if isinstance(taken[0], chain.Creation) else self._before(first)
            rights = self._between(self.rights_version, last) if self.rights_version else ()
            moves += [removed.Move("col", old, last)] if old else []
            moves += [removed.Move("gacl", str(self.rights_version), last)] if rights else []
        else:
            reached = self._before(last)
            moves.append(removed.Move("col", first, reached))
            leaving = self._rights_to_leave(reached)
            if leaving:
                moves.append(removed.Move("gacl", leaving[0], self._before(leaving[-1])))
        return moves

    def _drop_dependents(self, step: archive.Step) -> None:
        """Drop what blocks the run, before its first step, and keep its definition."""
        found, self._dependents = self._dependents, ()
        again: list[str] = []
        self.sink.inspect(lambda cursor: again.extend(removed.drop(cursor, found)))
        store = self.names.col_archive
        with self.sink.keeping([store]):
            self.sink.execute_as_owner(
                removed.keeping(step.live, store, step.old, step.new, found, again)
            )
        self.announcements += [
            f"dropped the {one.kind} {one.shown}: its definition is in the archive {store}"
            for one in found
        ]

    def _make_extensions(self, steps: Sequence[Any]) -> None:
        """Make the extensions that the built-in steps need, or refuse the run for one of them."""
        reached = [
            step.revision.revision
            for step in steps
            if isinstance(step, RevisionStep) and step.is_upgrade
        ]
        fresh = not reached or isinstance(steps[0], chain.Creation)
        at = None if fresh else self._before(reached[0])
        needed = required_extensions.needed(at, reached, self.job.settings)
        if needed:
            self.sink.make_extensions(needed)

    def _ask_all(self, steps: Sequence[Any]) -> None:
        """Ask of all steps what can be asked now, before the first one runs."""
        questions = [
            question.bound(self.names)
            for step in steps
            if isinstance(step, RevisionStep) and step.revision.revision in library.BUILT_IN
            for question in self._questions(step)
            if question.stops
        ]

        if len(steps) > 1:
            self.sink.ask_ahead(questions)

    def _questions(self, step: Any) -> Sequence[checks.Question]:
        version = step.revision.revision
        before = self._before(version)
        if before is None or isinstance(step, chain.Creation):
            return ()
        old, new = (before, version) if step.is_upgrade else (version, before)
        return self._asked(old, new, BOTH if self._behind(version) else ("col",))

    def _asked(
        self, old: str, new: str | None, roles: Sequence[sql.Role]
    ) -> Sequence[checks.Question]:
        """Return the questions of a step; orphans only warn where the site says so."""
        return [
            replace(one, stops=False) if one.of_foreign_key and self.job.settings.not_valid else one
            for one in checks.of_step(old, new, tuple(roles))
        ]

    def begin(self, step: Any) -> None:
        """Learn which of Alembic's steps comes next."""
        self._version = step.revision.revision if hasattr(step, "revision") else ""
        self._module = step.revision.module if hasattr(step, "revision") else None
        self._started = datetime.now(UTC)
        self._sent = []
        self._rights_changed = False
        if self._guarded and self._version == self._guarded:
            with removal.rows_named():
                self.sink.execute_as_owner(self._guard(self._version))
            self._keeps = False

    def searching(self) -> AbstractContextManager[None]:
        """Give the statements of a site's own step the path that its author expects.

        Our scripts name the schema of everything; wrapped ones get their path as they are sent.
        """
        if Path(self._module.__file__).parent == library.versions_folder():
            return nullcontext()
        return self.sink.searching(wrapped_step.starting_path(self.names))

    def upgrade(self) -> None:
        """Take the step; the part for a rights schema that is that far already is left out."""
        before = self._before(self._version)
        if before is None:
            self.create()
        elif self._behind(self._version):
            self._take(before, self._version, BOTH)
        else:
            self._take(before, self._version, ("col",))

    def create(self) -> None:
        """Send the creation scripts; an older rights schema is stepped up instead.

        A data schema that joins shares the rights that are there: the application looks in
        `aclappli`, `aclaco` and `aclacl` under its code ($GACL_aco), not under a schema's name.
        Its own rights would need rows under another code, which its administrators enter.
        """
        gacl_script, col_script = self.job.creations[self._version]
        if self.rights_version is None:
            source = library.load(gacl_script)
            completing, announced = completed_installation(self.names, self.job.settings)
            self._send(source, source.text, after=completing)
            self.announcements += announced
            self._step_rights(self._version)
        for version in self._between(self.rights_version, self._version):
            self._take(self._before(version) or "", version, ("gacl",))
        for name in self._with_companion(col_script):
            source = library.load(name)
            self._send(source, source.text)
        self._fill(library.BUILT_IN[: library.BUILT_IN.index(self._version) + 1])

    def downgrade(self) -> None:
        """Take the step back; the rights schema follows as far as no other data schema needs it."""
        reached = self._before(self._version)
        leaving = self._rights_to_leave(reached)
        if self._version not in library.VERSIONS:
            raise DowngradeRefused(
                f"version {self._version} has no catalog, which says what has to be kept",
                hint="Write it with `make facts` first.",
            )
        if not leaving:
            self._announce_rights_kept()
        if leaving == (self._version,):
            self._take(self._version, reached, BOTH)
            return
        self._take(self._version, reached, ("col",))
        for version in leaving:
            self._take(version, self._before(version), ("gacl",))

    def _take(self, old: str, new: str | None, roles: Sequence[sql.Role]) -> None:
        """Send the scripts of a step, or their part for one schema, with what keeps its rows."""
        steps = [
            archive.Step(
                role=role,
                live=self.names.by_default_name[role],
                store=self.names.by_default_name[f"{role}_archive"],
                old=old,
                new=new,
            )
            for role in roles
        ]
        if not self._ready or self.job.settings.per_version:
            self.sink.execute(archive.functions())
            self._ready = True
        self._ask_first(old, new, roles)
        if self._dependents:
            self._drop_dependents(steps[-1])
        stores = [step.store for step in steps] if self._keeps else []
        with removed.dependents_named(upgrade=steps[0].is_upgrade), self.sink.keeping(stores):
            self._send_step(old, new, roles, steps)
        if "gacl" in roles:
            self._step_rights(new)

    def _send_step(
        self, old: str, new: str | None, roles: Sequence[sql.Role], steps: Sequence[archive.Step]
    ) -> None:
        if self._keeps:
            self.sink.execute_as_owner(archive.before(steps))
        not_valid = self.job.settings.not_valid and new is not None
        for name in library.script_names(old, new):
            if name.endswith(POSTGIS) and not ("col" in roles and self._has_postgis()):
                continue
            source = library.load(name)
            text = source.text if len(roles) == len(BOTH) else sql.part(source.text, roles[0])
            if not_valid:
                text = checks.without_validation(text)
            self._send(source, text, steps if self._keeps else ())
        if not_valid:
            self.sink.execute_as_owner(checks.validation([step.live for step in steps]))
        if "col" in roles and new is not None:
            self._fill((self._version,))
        self.sink.execute_as_owner(archive.after(steps))
        fills = library.declared(self._version).fills
        if "col" in roles and new == self._version and fills:
            self.sink.inspect(lambda cursor: self._announce_empty(cursor, tuple(fills)))

    def _announce_empty(self, cursor: Cursor, parameters: tuple[str, ...]) -> None:
        table = f"{quoting.identifier(self.names.col)}.dbparam"
        cursor.execute(
            f"select dbparam_name::text from {table.replace('%', '%%')}"
            " where dbparam_value is null"
            " and dbparam_name::text operator(pg_catalog.=) any (%s) order by 1",
            (list(parameters),),
        )
        self.announcements += [
            f"{name} in {table} is empty: {EMPTY[name]}; to fill it: update {table}"
            f" set dbparam_value = 'VALUE' where dbparam_name = {quoting.literal(name)}"
            for (name,) in cursor.fetchall()
        ]

    def _ask_first(self, old: str, new: str | None, roles: Sequence[sql.Role]) -> None:
        """Refuse the step for rows that it would fail at; tell what it would leave wrong."""
        for question in self._asked(old, new, roles):
            self.sink.ask(question.bound(self.names))

    def _fill(self, added: Sequence[str]) -> None:
        """Fill rows of dbparam that versions added and settings know, where they are null."""
        fills = [one for version in added for one in library.declared(version).fills.items()]
        for parameter, setting in fills:
            value = self.job.settings.instance.get(setting)
            if value:
                self.sink.execute_as_owner(
                    f"update {quoting.identifier(self.names.col)}.dbparam"
                    f" set dbparam_value = {quoting.literal(value)}"
                    f" where dbparam_name = {quoting.literal(parameter)}"
                    " and dbparam_value is null;"
                )

    def _with_companion(self, script: str) -> tuple[str, ...]:
        """Return a script and the one beside it that needs PostGIS, where the database has it."""
        companion = script.removesuffix(".sql") + POSTGIS
        is_there = (library.scripts_folder() / companion).is_file()
        return (script, companion) if is_there and self._has_postgis() else (script,)

    def _has_postgis(self) -> bool:
        if self.job.settings.without_postgis:
            return False
        return self.sink.has_extension("postgis")

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
            self.job.site_facts[self._version] = step.catalog
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
        entries = {self.names.col: entry}
        if self._rights_changed:
            entries[self.names.gacl] = replace(entry, version=self.rights_version)
        self.sink.record(entries)
        self.sink.settle()

    def _send(
        self,
        source: library.Source,
        text: str,
        steps: Sequence[archive.Step] = (),
        *,
        after: str = "",
    ) -> None:
        bound = sql.bind(text, self.names.by_default_name, shown=source.shown) + after
        reaches = required_extensions.uses_extensions(text)
        self.sink.send(bound, shown=source.shown, steps=steps, extensions=reaches)
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
        at: dict[sql.Role, str] = {"col": version}
        if self.rights_version and self.rights_held is None:
            at["gacl"] = self.rights_version
        pairs = self.job.settings.pairs
        return removal.guard(pairs, self.names, at=at, creations=self.job.creations)

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
        return chain.versions_left(
            self.job.versions, at=self.rights_version, needed=(reached, self.rights_held)
        )

    def _between(self, old: str | None, new: str) -> Sequence[str]:
        """Return the versions after `old` up to `new`."""
        return chain.versions_between(self.job.versions, old, new)

    def _before(self, version: str) -> str | None:
        """Return the version before, or None for the first one."""
        return chain.version_before(self.job.versions, version)


LOGIN = "admin"
DEFAULT_CODE = "col"
RANDOM_BYTES = 12


def completed_installation(names: Names, settings: Settings) -> tuple[str, list[str]]:
    """Return what sets the admin's password and the application's code, and what to tell."""
    password = settings.admin_password or secrets.token_urlsafe(RANDOM_BYTES)
    gacl = quoting.identifier(names.gacl)
    statements = (
        f"\nupdate {gacl}.logingestion set password = {quoting.literal(stored_password(password))}"
        f" where login = {quoting.literal(LOGIN)} and password is null;\n"
    )
    if settings.application_code != DEFAULT_CODE:
        statements += (
            f"update {gacl}.aclappli set appli = {quoting.literal(settings.application_code)}"
            f" where appli = {quoting.literal(DEFAULT_CODE)};\n"
        )
    if settings.admin_password:
        return statements, []
    return statements, [
        f"The application's account {LOGIN!r} was created with the password {password}",
        "It is shown only this once: change it after the first login.",
    ]


def stored_password(password: str, login: str = LOGIN) -> str:
    """Return a password as `logingestion.password` holds it: SHA-256 of password and login.

    The application's own rule for local accounts (measured on its releases up to 1.1).
    """
    return sha256((password + login).encode()).hexdigest()
