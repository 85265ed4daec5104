"""What an upgrade would do, found out by reading alone: statements, locks, what goes where."""

from collections.abc import Iterator, Mapping, Sequence

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import sql, versions
from collec_migrations.bridge import history, ownership
from collec_migrations.errors import NotPossible, Problem
from collec_migrations.migrate import (
    archive,
    chain,
    checks,
    confinement,
    lock_facts,
    preconditions,
    removed,
    required_extensions,
)
from collec_migrations.migrate.job import Job
from collec_migrations.migrate.planned import (
    PairPlan,
    Plan,
    PlannedScript,
    PlannedStatement,
    PlannedStep,
    TableLock,
)
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.migrate.run import EMPTY, Run
from collec_migrations.migrate.sinks import Sink
from collec_migrations.migrate.wrapped_step import WrappedStep
from collec_migrations.names import Names
from collec_migrations.postgres import privileges
from collec_migrations.postgres.as_owner import NOBODY, Owners
from collec_migrations.postgres.queries import statement
from collec_migrations.settings import Settings

Sizes = Mapping[tuple[str, str], tuple[float | None, int, str]]
"""Rows as estimated, bytes and owner of each table, by schema and name."""


def survey(job: Job, cursor: Cursor) -> Plan:
    """Return the plan of an upgrade; only reads, within the transaction that is open.

    Raises `NotAdopted` for what an upgrade refuses.
    """
    schemas = tuple(
        schema for names in job.settings.pairs for schema in names.by_default_name.values()
    )
    found = privileges.read(cursor, schemas)
    cursor.execute(statement("table_sizes"), {"schemas": list(schemas)})
    sizes: Sizes = {(schema, name): tuple(rest) for schema, name, *rest in cursor.fetchall()}
    pairs: list[PairPlan] = []
    owners, ahead = _owners(cursor, found, job.settings.pairs)
    rights_version: str | None = None
    for number, names in enumerate(job.settings.pairs):
        present = history.state(cursor, names)
        preconditions.refuse_unadopted(names, present)
        preconditions.refuse_unknown(names, present, job.versions)
        listing = Listing(names, sizes)
        run = job.run_for(
            names, listing, rights_version=rights_version if number else present.rights_version
        )
        pair = _pair(cursor, job, run, present)
        rights_version = run.rights_version
        pairs.append(pair)
        if not pair.steps:
            preconditions.refuse_other_application(job.settings, names, present.recorded)
        ahead += _empty_parameters(pair, job.settings)
        ahead += _extensions(cursor, run)
        ahead += _fixed_names(pair)
        if names in owners:
            ahead += _findings(cursor, listing.questions, owners[names])
        allowed = job.settings.drop_dependents
        ahead += [one.problem(allowed=allowed)
                  for one in removed.find(cursor, names, run.moves)]  # fmt: skip
    return Plan(
        database=found.database,
        role=found.role,
        server_version=found.version,
        settings=job.settings,
        pairs=tuple(pairs),
        obstacles=(*preconditions.problems(found, pairs), *dict.fromkeys(ahead)),
    )


def extensions_used(job: Job, names: Names) -> tuple[Use, ...]:
    """Return the extensions that the steps of a fresh database use; asks no server."""
    run = job.run_for(names, Listing(names, {}), rights_version=None)
    _steps(job, run, None)
    return _uses(run)


def _uses(run: Run) -> tuple[Use, ...]:
    """Return the extensions that a run uses which was listed."""
    wrapped = (
        Use(name=name, place=step.script.sources[0].shown)
        for step in run.wrapped
        for name in step.script.extensions
    )
    return (*_listing(run).extensions, *wrapped)


def _listing(run: Run) -> "Listing":
    assert isinstance(run.sink, Listing)
    return run.sink


class Listing(Sink):
    """Takes what a run would send, and notes it: nothing reaches a server."""

    def __init__(self, names: Names, sizes: Sizes) -> None:
        self.names = names
        self.sizes = sizes
        self.scripts: list[PlannedScript] = []
        self.questions: list[checks.Question] = []
        self.extensions: Sequence[Use] = ()

    def send(
        self,
        text: str,
        *,
        shown: str,
        steps: Sequence[archive.Step] = (),  # noqa: ARG002  (it is the protocol's)
        extensions: bool = False,  # noqa: ARG002  (it is the protocol's)
    ) -> None:
        """Note a script's statements and what they lock; one sent piece by piece as one."""
        name = shown.rpartition("/")[2]
        measured = None
        part = "all"
        if shown == f"{versions.scripts_folder().name}/{name}":
            whole = versions.load(name).text
            measured = lock_facts.of_script(name, whole)
            part = "all" if len(sql.split(whole)) <= len(sql.split(text)) else "part"
        statements = tuple(
            PlannedStatement(
                line=one.line,
                text=one.text,
                locks=None if measured is None else self._locks(measured.get(one.line, {})),
            )
            for one in sql.split(text)
        )
        if self.scripts and self.scripts[-1].script == shown:
            statements = self.scripts.pop().statements + statements
        wrapped = not (versions.scripts_folder() / name).is_file()
        self.scripts.append(
            PlannedScript(script=shown, part=part, statements=statements, wrapped=wrapped)
        )

    def _locks(self, found: lock_facts.Measured) -> tuple[TableLock, ...]:
        locks = []
        for name, mode in found.get("locks", {}).items():
            role, _, table = name.partition(".")
            place = (self.names.by_default_name[role], table)
            if place in self.sizes:
                rows, size, owner = self.sizes[place]
                locks.append(
                    TableLock(
                        table=".".join(place),
                        mode=mode,
                        rewrites=name in found.get("rewrites", ()),
                        scans=name in found.get("scans", ()),
                        rows=rows,
                        bytes=size,
                        owner=owner,
                    )
                )
        return tuple(locks)

    def ask(self, question: checks.Question) -> None:
        """Note a question, which the plan asks as far as it can be asked now."""
        self.questions.append(question)

    def make_extensions(self, needed: Sequence[Use]) -> None:
        """Note what the built-in steps need."""
        self.extensions = needed


def _pair(cursor: Cursor, job: Job, run: Run, present: history.State) -> PairPlan:
    rights_before = run.rights_version
    steps = _steps(job, run, present.recorded)
    held = ownership.read(cursor, (run.names.gacl, run.names.col))
    archived = tuple(removed.counted(cursor, run.names, run.moves))
    return PairPlan(
        names=run.names,
        recorded=present.recorded,
        target=steps[-1].version if steps else present.recorded,
        rights_version=rights_before,
        gacl_owner=held[run.names.gacl].owner(),
        col_owner=held[run.names.col].owner(),
        steps=steps,
        archived=archived,
    )


def _steps(job: Job, run: Run, recorded: str | None) -> tuple[PlannedStep, ...]:
    """Let the revisions send what they would, into a list."""
    listing = _listing(run)
    heads = () if recorded is None else (recorded,)
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "collec_run": lambda: run}
    )
    steps: list[PlannedStep] = []
    with Operations.context(context):
        for step in chain.followed(job.work, lambda: run)(heads, context):
            listing.scripts = []
            wrapped_before = len(run.wrapped)
            step.migration_fn()
            created = isinstance(step, chain.Creation) or (
                step.is_upgrade and step.revision.down_revision is None
            )
            notes = tuple(note for one in run.wrapped[wrapped_before:] for note in _notes(one))
            steps.append(
                PlannedStep(
                    version=step.revision.revision,
                    kind="create" if created else "upgrade",
                    scripts=tuple(_named_part(one, created=created) for one in listing.scripts),
                    notes=notes,
                )
            )
    return tuple(steps)


def _notes(step: WrappedStep) -> tuple[str, ...]:
    return (
        *step.script.notes,
        "a script of the application's own: what it locks and takes away is unknown;"
        " `collec-migrations rehearse` measures it on a copy",
        "it has no downgrade: a backup is taken before it",
    )


def _named_part(script: PlannedScript, *, created: bool) -> PlannedScript:
    """Say which part is sent: the rights schema lags behind only where a schema is created."""
    if script.part == "all":
        return script
    part = "gacl" if created else "col"
    return PlannedScript(script=script.script, part=part, statements=script.statements)


def _fixed_names(pair: PairPlan) -> Iterator[Problem]:
    """Yield where the application names a schema itself: releases 2.5 to 26.2, and 2.8 alone."""
    if not pair.steps or pair.target not in versions.VERSIONS:
        return
    at, names = versions.position(pair.target), pair.names
    for role, table, first, last in (
        ("col", "document", "2.5", versions.VERSIONS[-1]),
        ("gacl", "aclgroup", "2.8", "2.8.1"),
    ):
        if names.by_default_name[role] != role and versions.position(
            first
        ) <= at <= versions.position(last):
            yield Problem(
                message=f"the application for {pair.target} names {role}.{table} itself, but the"
                f" schema is {names.by_default_name[role]!r}",
                hint=f"Correct this name in the application's code, or call the schema {role}.",
                certain=False,
            )


def _empty_parameters(pair: PairPlan, settings: Settings) -> Iterator[Problem]:
    for step in pair.steps:
        for parameter, setting in versions.declared(step.version).fills.items():
            if step.kind == "upgrade" and not settings.instance.get(setting):
                yield Problem(
                    message=f"{parameter} in {pair.names.col}.dbparam will be empty:"
                    f" {EMPTY[parameter]}",
                    hint="Name the application that is installed now with --app DIR, or set"
                    f" COLLEC_INSTANCE_{setting.upper()}.",
                    certain=False,
                )


def _extensions(cursor: Cursor, run: Run) -> tuple[Problem, ...]:
    used = _uses(run)
    found = privileges.read_extensions(cursor) if used else None
    return required_extensions.lacking(used, found) if found else ()


def _owners(
    cursor: Cursor, found: privileges.Privileges, pairs: Sequence[Names]
) -> tuple[dict[Names, Owners], list[Problem]]:
    """Return with whose rights each pair's rows are read, and where that is not possible.

    Read-only from here on where everybody's own rights will do.
    """
    owners: dict[Names, Owners] = {}
    problems = []
    if found.superuser and not (found.standby or found.read_only):
        for names in pairs:
            try:
                owners[names] = confinement.owners(cursor, ownership.Watch(cursor, names))
            except NotPossible as error:
                problems.append(Problem(message=str(error), hint=error.hint))
    elif not found.superuser:
        owners = dict.fromkeys(pairs, NOBODY)
    if not any(one.first for one in owners.values()):
        cursor.execute("set transaction read only")
    return owners, problems


def _findings(
    cursor: Cursor, questions: Sequence[checks.Question], owners: Owners
) -> Iterator[Problem]:
    for question in questions:
        found = checks.ask(cursor, question, owners, now=True)
        if found:
            yield Problem(message=found, hint=question.hint, certain=question.stops)
