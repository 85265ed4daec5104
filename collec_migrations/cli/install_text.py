"""What `install` shows: every resource, and the access rules, as text or as facts for JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from collec_migrations import install
from collec_migrations.install import Done, Plan, Resource

CREATED = "created"


def lines(plan: Plan) -> list[str]:
    """Return the page of a plan."""
    return [
        _heading(plan),
        *_resources(plan.resources, plan.resources),
        *_rules(plan),
        "",
        *_closing(plan),
    ]


def done_lines(done: Done) -> list[str]:
    """Return the page of what was done."""
    plan = done.plan
    found = [_heading(plan), *_resources(plan.resources, install.after(done))]
    if done.rules is None:
        found += _rules(plan)
    else:
        found += ["", *(f"    {line}" for line in plan.access.block.text.splitlines())]
        found.append(
            f"\nthe access rules are in force and proved; the former file: {done.rules.copy}"
        )
    if not any(resource.state == "make" for resource in plan.resources):
        found.append("\nnothing was changed")
    return found


def facts(plan: Plan) -> dict[str, object]:
    """Return the facts of a plan."""
    desired = plan.desired
    return {
        "database": desired.database,
        "owner": desired.owner,
        "version": desired.version,
        "server_version": plan.found.server.version,
        "differs": plan.differs,
        "resources": [asdict(resource) for resource in plan.resources],
        "access_rules": {
            "lines": list(plan.access.block.lines),
            "otherwise": [
                {"place": rule.place, "line": rule.text} for rule in plan.access.caught_by
            ],
        },
    }


def done_facts(done: Done) -> dict[str, object]:
    """Return the facts of what was done: what was created has the state `created`."""
    made = [
        {**asdict(resource), "state": CREATED if resource.state == "make" else resource.state}
        for resource in done.plan.resources
    ]
    copy = str(done.rules.copy) if done.rules and done.rules.copy else None
    return {**facts(done.plan), "resources": made, "former_access_rules": copy}


def _heading(plan: Plan) -> str:
    desired, server = plan.desired, plan.found.server
    number = server.version
    shown = f"{number // 10000}.{number % 10000}" if number >= 100000 else f"{number}"
    return (
        f"database {desired.database} of {desired.owner} on PostgreSQL {shown},"
        f" as {server.role}, version {desired.version}"
    )


def _resources(planned: Sequence[Resource], now: Sequence[Resource]) -> Iterator[str]:
    for before, after in zip(planned, now, strict=True):
        word = CREATED if before.state != after.state else before.state
        detail = f": {before.detail}" if before.detail else ""
        yield f"  {word:<8} {before.kind} {before.name}{detail}"
        if after.advice:
            yield f"  {'':<8} to do: {after.advice}"


def _rules(plan: Plan) -> Iterator[str]:
    access = plan.access
    if access.resource.state == "there":
        return
    yield ""
    for rule in access.caught_by:
        yield f"without them {rule.place} decides: {' '.join(rule.text.split())}"
    yield "access rules, to stand above all others in pg_hba.conf:"
    for line in access.block.text.splitlines():
        yield f"    {line}"


def _closing(plan: Plan) -> Iterator[str]:
    made = sum(resource.state == "make" for resource in plan.resources)
    if made:
        noun = "resource" if made == 1 else "resources"
        yield f"{made} {noun} would be created; nothing was touched"
    else:
        yield "nothing would be created"
