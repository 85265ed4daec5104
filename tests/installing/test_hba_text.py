"""Access rules as text: a block of ours above all others, everything else as it was."""

import pytest

from collec_migrations.errors import UsageError
from collec_migrations.postgres import configuration
from collec_migrations.postgres.configuration import Block

OTHER = Block(name="install other", lines=("local other other md5",))
OURS = Block(name="install collec", lines=("local collec collec scram-sha-256",))


@pytest.mark.parametrize(
    ("old", "where"),
    [
        ("", 0),
        ("local all all md5\n", 0),
        ("# head\n\n  # more\nlocal all all md5\n", 17),
        ("# head\r\nlocal all all md5\r\n", 8),
        ("# goes on \\\nlocal all all md5\n", 0),
        ("# no end", 0),
        ("# latin \udce9\nlocal all all md5", 10),
    ],
    ids=["empty", "rule", "head", "crlf", "continued", "no newline", "bytes"],
)
def test_the_block_stands_above_all_rules_and_everything_else_stays(old: str, where: int) -> None:
    new = OURS.first_in(old)
    assert new == old[:where] + OURS.text + old[where:]
    assert OURS.first_in(new) == new
    assert configuration.without_block(new, OURS.name) == old


def test_a_block_that_was_moved_down_comes_up_again() -> None:
    moved = f"local all all md5\n{OURS.text}host all all all md5\n"
    assert OURS.first_in(moved) == f"{OURS.text}local all all md5\nhost all all all md5\n"


def test_another_block_is_left_alone() -> None:
    both = OURS.first_in(OTHER.text)
    assert OTHER.text in both
    assert configuration.without_block(both, OURS.name) == OTHER.text


@pytest.mark.parametrize("which", [0, -1], ids=["begin alone", "end alone"])
def test_half_a_block_is_refused(which: int) -> None:
    marker = OURS.text.splitlines()[which]
    with pytest.raises(UsageError, match="marker"):
        OURS.first_in(f"{marker}\nlocal all all md5\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"# head\n{OURS.text}local all all trust\n", True),
        (f"{OTHER.text}{OURS.text}", True),
        (f"local all all trust\n{OURS.text}", False),
        (f"include other.conf\n{OURS.text}", False),
        ("local collec collec scram-sha-256\n", False),
        (OURS.text.replace("scram-sha-256", "trust"), False),
        ("", False),
    ],
    ids=[
        "first",
        "below another of ours",
        "below a rule",
        "below others",
        "none",
        "other",
        "empty",
    ],
)
def test_a_block_decides_where_nothing_but_ours_stands_above(text: str, expected: bool) -> None:
    assert OURS.is_first_in(text) is expected


@pytest.mark.parametrize("name", ["/regex", "line\nbreak"])
def test_a_name_that_no_rule_can_hold_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no rule"):
        configuration.quoted_name(name)
