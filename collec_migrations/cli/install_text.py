"""What `install` shows: every piece, and the access rules, as text or as facts for JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from collec_migrations.install import installation
from collec_migrations.install.installation import Done, Plan
from collec_migrations.install.pieces import Piece

MADE = "made"


def lines(plan: Plan) -> list[str]:
    """Return the page of a plan."""
    return [_heading(plan), *_pieces(plan.pieces, plan.pieces), *_rules(plan), "", *_closing(plan)]


def done_lines(done: Done) -> list[str]:
    """Return the page of what was done."""
    plan = done.plan
    found = [_heading(plan), *_pieces(plan.pieces, installation.after(done))]
    if done.rules is None:
        found += _rules(plan)
    else:
        found += ["", *(f"    {line}" for line in plan.access.block.text.splitlines())]
        found.append(f"\nthe access rules hold and are proved; the former file: {done.rules.copy}")
    if not any(piece.state == "make" for piece in plan.pieces):
        found.append("\nnothing was changed")
    return found


def facts(plan: Plan) -> dict[str, object]:
    """Return the facts of a plan."""
    wanted = plan.wanted
    return {
        "database": wanted.database,
        "owner": wanted.owner,
        "version": wanted.version,
        "server_version": plan.found.server.version,
        "differs": plan.differs,
        "pieces": [asdict(piece) for piece in plan.pieces],
        "access_rules": {
            "lines": list(plan.access.block.lines),
            "otherwise": [
                {"place": rule.place, "line": rule.text} for rule in plan.access.caught_by
            ],
        },
    }


def done_facts(done: Done) -> dict[str, object]:
    """Return the facts of what was done: what was made has the state `made`."""
    made = [
        {**asdict(piece), "state": MADE if piece.state == "make" else piece.state}
        for piece in done.plan.pieces
    ]
    copy = str(done.rules.copy) if done.rules and done.rules.copy else None
    return {**facts(done.plan), "pieces": made, "former_access_rules": copy}


def _heading(plan: Plan) -> str:
    wanted, server = plan.wanted, plan.found.server
    number = server.version
    shown = f"{number // 10000}.{number % 10000}" if number >= 100000 else f"{number}"
    return (
        f"database {wanted.database} of {wanted.owner} on PostgreSQL {shown},"
        f" as {server.role}, version {wanted.version}"
    )


def _pieces(planned: Sequence[Piece], now: Sequence[Piece]) -> Iterator[str]:
    for before, after in zip(planned, now, strict=True):
        word = MADE if before.state != after.state else before.state
        detail = f": {before.detail}" if before.detail else ""
        yield f"  {word:<8} {before.kind} {before.name}{detail}"
        if after.advice:
            yield f"  {'':<8} to do: {after.advice}"


def _rules(plan: Plan) -> Iterator[str]:
    access = plan.access
    if access.piece.state == "there":
        return
    yield ""
    for rule in access.caught_by:
        yield f"without them {rule.place} decides: {' '.join(rule.text.split())}"
    yield "access rules, to stand above all others in pg_hba.conf:"
    for line in access.block.text.splitlines():
        yield f"    {line}"


def _closing(plan: Plan) -> Iterator[str]:
    made = sum(piece.state == "make" for piece in plan.pieces)
    if made:
        yield f"{made} {'piece' if made == 1 else 'pieces'} would be made; nothing was touched"
    else:
        yield "nothing would be made"
