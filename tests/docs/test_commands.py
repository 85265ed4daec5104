"""Every command that the manual shows is run, in a fresh site, and does what the page says."""

from pathlib import Path

import pytest

from tests.docs import pages, running, sites
from tests.servers import Server

WITH_COMMANDS = [page for page in pages.every() if page.commands]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_the_commands_of_a_page_do_what_it_says(
    page: pages.Page, server18: Server, folder: Path
) -> None:
    with sites.prepared(page.state, server18, folder) as site:
        faults = running.run(page, site)
    assert not faults, "\n\n".join(faults)


LINES = [
    pytest.param(["a", "..."], ["a", "b", "c"], True, id="any lines"),
    pytest.param(["..."], [], True, id="no line"),
    pytest.param(["in ... s"], ["in 0.1 s"], True, id="any text"),
    pytest.param(["a"], ["a", "b"], False, id="a line too many"),
    pytest.param(["a", "b"], ["a"], False, id="a line too few"),
    pytest.param(["in ... s"], ["in 0.1 ms!"], False, id="another text"),
    pytest.param(["a.c"], ["abc"], False, id="a dot is a dot"),
]


@pytest.mark.parametrize(("shown", "written", "expected"), LINES)
def test_what_is_written_is_compared(shown: list[str], written: list[str], expected: bool) -> None:
    assert running.matches(shown, written) is expected


def test_a_page_that_is_wrong_is_found(server18: Server, folder: Path) -> None:
    path = pages.ROOT / "docs" / "wrong.md"
    text = "$ echo yes\nno\n$ false\n$ false\n$ echo $?\n1\n$ export A=b\n$ echo $A\nb\n"
    block = pages.Block(language="console", text=text, line=1, not_run="")
    page = pages.Page(path=path, state="", run_by="", blocks=(block,), links=())
    with sites.prepared("", server18, folder) as site:
        faults = running.run(page, site)
    assert [one.splitlines()[0] for one in faults] == [
        "docs/wrong.md:2: $ echo yes",
        "docs/wrong.md:4: $ false",
    ]
