"""A plan for people: in plain words, then in detail; and as JSON with every fact."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import starmap

from collec_migrations.cli.render import Facts, count
from collec_migrations.migrate import lock_facts
from collec_migrations.migrate.planned import (
    PairPlan,
    Plan,
    PlannedScript,
    PlannedStatement,
    PlannedStep,
    TableLock,
)
from collec_migrations.migrate.removed import Archived
from collec_migrations.postgres import sizes

SHOWN_LINES = 6


@dataclass(slots=True)
class Held:
    """All that a plan does to one table."""

    lock: TableLock
    rewrites: bool = False
    scans: bool = False
    places: dict[str, list[int]] = field(default_factory=dict)
    """Where the strongest lock is taken: lines of each script."""

    @property
    def rank(self) -> int:
        """The strength of the lock."""
        return lock_facts.MODES.index(self.lock.mode)


def plain_words(plan: Plan) -> Iterator[str]:
    """Yield what a plan means, in plain words."""
    if plan.is_empty:
        yield f"nothing to do: {_state(plan)}"
        return
    for pair in plan.pairs:
        yield from _pair(pair, plan)
    yield (
        f"how long: {_duration(sum(weights(plan).values()))}, judged by the size of the tables;"
        " `collec-migrations rehearse` measures it"
    )
    yield from _stopped(plan)
    yield from _archived(plan)
    yield from _obstacles(plan)
    yield "scripts, locks and owners: --details"


def details(plan: Plan) -> Iterator[str]:
    """Yield scripts, locks and owners: what stands below the plain words."""
    if plan.is_empty:
        return
    yield ""
    for pair in plan.pairs:
        for step in pair.steps:
            yield from _step(step)
    yield from _locks(plan)
    yield from _owners(plan)


def _state(plan: Plan) -> str:
    return ", ".join(f"{pair.names.col} is at {pair.recorded}" for pair in plan.pairs)


def _pair(pair: PairPlan, plan: Plan) -> Iterator[str]:
    if not pair.steps:
        yield f"{pair.names.col}: nothing to do, it is at {pair.recorded}"
        return
    start = pair.recorded or "nothing"
    how = "committed after each version" if plan.settings.per_version else "in one transaction"
    yield (
        f"{pair.names.col} (rights in {pair.names.gacl}) will go from {start} to {pair.target}"
        f" in database {plan.database}: {count(len(pair.steps), 'step')}, {how}"
    )
    for step in pair.steps:
        if any(script.wrapped for script in step.scripts):
            yield from _step(step)


def _step(step: PlannedStep) -> Iterator[str]:
    for script in step.scripts:
        part = "" if script.part == "all" else f", its part for {script.part} alone"
        yield (
            f"  {step.version:8} {step.kind} by {script.script}:"
            f" {count(len(script.statements), 'statement')}{part}"
        )
    yield from (f"    {note}" for note in step.notes)


STATEMENT = 0.01
"""Seconds that a statement takes, whatever it does; about what an empty database shows."""
BYTES = 20_000_000
"""Bytes of a table that a second reads and writes anew; low, as on a laboratory's server."""


def weights(plan: Plan) -> dict[tuple[str, int], float]:
    """Return about how many seconds each statement takes, by script and line."""
    found: dict[tuple[str, int], float] = {}
    for script in _scripts(plan):
        for one in script.statements:
            moved = sum(lock.bytes for lock in one.locks or () if lock.rewrites or lock.scans)
            place = (script.script, one.line)
            found[place] = found.get(place, 0) + STATEMENT + moved / BYTES
    return found


def _duration(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    if seconds < 5400:
        return f"about {count(round(seconds / 60), 'minute')}"
    return f"about {count(round(seconds / 3600), 'hour')}"


def _stopped(plan: Plan) -> Iterator[str]:
    strong = [item for item in held(plan) if lock_facts.blocks(item.lock.mode)]
    if strong:
        readers = sum(lock_facts.blocks(item.lock.mode) != "writers" for item in strong)
        yield (
            f"stop the application first: {count(len(strong), 'table')} cannot be written while"
            f" it runs, {readers} of them cannot be read"
        )
    if any(one.locks is None for script in _scripts(plan) for one in script.statements):
        yield "stop the application first: what some of the scripts lock is not known"
    elif not strong and any(pair.recorded for pair in plan.pairs):
        yield "nothing must be stopped: no table is kept from reading or writing"


def held(plan: Plan) -> list[Held]:
    """Return what is done to each table that was there before, strongest first."""
    found: dict[str, Held] = {}
    for script in _scripts(plan):
        for statement in script.statements:
            for lock in statement.locks or ():
                item = found.setdefault(lock.table, Held(lock))
                if lock_facts.MODES.index(lock.mode) > item.rank:
                    item.lock, item.places = lock, {}
                if lock.mode == item.lock.mode:
                    item.places.setdefault(script.script, []).append(statement.line)
                item.rewrites |= lock.rewrites
                item.scans |= lock.scans
    return sorted(found.values(), key=lambda one: (-one.rank, -one.lock.bytes, one.lock.table))


def _scripts(plan: Plan) -> Iterator[PlannedScript]:
    for pair in plan.pairs:
        for step in pair.steps:
            yield from step.scripts


def _locks(plan: Plan) -> Iterator[str]:
    everything = held(plan)
    strong = [item for item in everything if lock_facts.blocks(item.lock.mode)]
    if strong:
        yield "locks that keep others out, until the transaction ends:"
    for item in strong:
        yield f"  {_lock(item)}"
    weaker = len(everything) - len(strong)
    if weaker:
        yield f"  weaker locks: {count(weaker, 'table')}"
    scripts = list(_scripts(plan))
    unknown = [one.script for one in scripts if any(s.locks is None for s in one.statements)]
    if unknown:
        yield f"locks of {', '.join(unknown)}: unknown; `collec-migrations rehearse` measures them"
    elif not strong:
        yield "locks: none that keeps anybody from reading or writing"


def _lock(item: Held) -> str:
    remarks = [size(item.lock)]
    remarks += ["rewritten whole"] if item.rewrites else []
    remarks += ["read whole"] if item.scans and not item.rewrites else []
    return (
        f"{item.lock.table:32} {item.lock.mode}, stops {lock_facts.blocks(item.lock.mode)}"
        f" ({'; '.join(remarks)}) at"
        f" {'; '.join(starmap(_places, item.places.items()))}"
    )


def _places(script: str, found: list[int]) -> str:
    shown = ", ".join(map(str, found[:SHOWN_LINES]))
    more = ", ..." if len(found) > SHOWN_LINES else ""
    return f"{script.rpartition('/')[2]}:{shown}{more}"


def size(lock: TableLock) -> str:
    """Return how large a table is, in rows and bytes."""
    rows = "rows never counted" if lock.rows is None else f"about {lock.rows:,.0f} rows"
    return f"{rows}, {sizes.shown(lock.bytes)}"


def _archived(plan: Plan) -> Iterator[str]:
    found = [item for pair in plan.pairs for item in pair.archived if item.rows]
    if found:
        yield "goes to the archive, from where a downgrade brings it back:"
        yield from (f"  {_archive(item)}" for item in found)


def _archive(item: Archived) -> str:
    if item.column is None:
        return f"{item.table}: {count(item.rows, 'row')}"
    return f"{item.table}.{item.column}: {count(item.rows, 'value')}"


def _owners(plan: Plan) -> Iterator[str]:
    for pair in plan.pairs:
        if pair.steps:
            gacl, col = pair.gacl_owner or plan.role, pair.col_owner or plan.role
            yield (
                f"new objects will belong to {col} in {pair.names.col}"
                f" and to {gacl} in {pair.names.gacl} (connected as {plan.role})"
            )


def _obstacles(plan: Plan) -> Iterator[str]:
    if not plan.obstacles:
        yield "nothing is in doubt, and nothing else is needed"
    for obstacle in plan.obstacles:
        yield f"{'blocked by' if obstacle.certain else 'in doubt'}: {obstacle.message}"
        yield f"    {obstacle.hint}"


def facts(plan: Plan) -> Facts:
    """Return all facts of a plan."""
    return {
        "database": plan.database,
        "role": plan.role,
        "server_version": plan.server_version,
        "transaction": "per-version" if plan.settings.per_version else "per-run",
        "nothing_to_do": plan.is_empty,
        "schemas": [_pair_facts(pair) for pair in plan.pairs],
        "obstacles": [
            {"message": item.message, "hint": item.hint, "certain": item.certain}
            for item in plan.obstacles
        ],
    }


def _pair_facts(pair: PairPlan) -> Facts:
    return {
        "gacl": pair.names.gacl,
        "col": pair.names.col,
        "recorded": pair.recorded,
        "target": pair.target,
        "rights_version": pair.rights_version,
        "owners": {"gacl": pair.gacl_owner or None, "col": pair.col_owner or None},
        "steps": [_step_facts(step) for step in pair.steps],
        "archived": [
            {
                "table": item.table,
                "column": item.column,
                "rows": item.rows,
            }
            for item in pair.archived
        ],
    }


def _step_facts(step: PlannedStep) -> Facts:
    return {
        "version": step.version,
        "kind": step.kind,
        "notes": list(step.notes),
        "scripts": [
            {
                "script": script.script,
                "part": script.part,
                "wrapped": script.wrapped,
                "statements": [_statement_facts(statement) for statement in script.statements],
            }
            for script in step.scripts
        ],
    }


def _statement_facts(statement: PlannedStatement) -> Facts:
    locks = statement.locks
    return {
        "line": statement.line,
        "text": statement.text,
        "locks": None if locks is None else [asdict(lock) for lock in locks],
    }
