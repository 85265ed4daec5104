"""The page for a bad night, without any server."""

from dataclasses import replace

from collec_migrations.replica import runbook
from collec_migrations.replica.runbook import Site
from collec_migrations.replica.states import Node
from tests.unit.test_replica_decisions import GONE, A, B


def page(*nodes: Node, primary: str = "") -> str:
    site = Site(nodes=nodes, primary=primary, application=("x = y",), written="2026-11-23")
    return runbook.page(site)


def test_it_fails_over_to_a_standby_that_is_there() -> None:
    text = page(GONE, B)
    assert "PRIMARY is lost: fail over to b" in text
    assert "promote b --switchover --data" in text
    c = replace(GONE, name="c")
    assert "a is lost: fail over to b" in page(c, A, B, primary="a")
    assert "fail over to STANDBY" in page(GONE, c)


def test_commands_stay_commands_in_markdown_inside_a_numbered_list_too() -> None:
    lines = page(A, B, primary="a").splitlines()
    fences = [at for at, line in enumerate(lines) if line.strip().startswith("```")]
    assert len(fences) % 2 == 0
    inside = {at for start, end in zip(fences[::2], fences[1::2], strict=True)
              for at in range(start, end)}  # fmt: skip
    commands = [at for at, line in enumerate(lines) if line.strip().startswith("collec-migrations")]
    assert commands
    assert set(commands) <= inside
    promote = lines.index("   collec-migrations replica promote b --yes")
    assert lines[promote - 2 : promote + 2] == [
        "   ```sh", "   collec-migrations replica promote b",
        "   collec-migrations replica promote b --yes", "   ```",
    ]  # fmt: skip
