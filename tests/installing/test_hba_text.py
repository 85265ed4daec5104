"""Access rules as text: read as the server reads them, judged by the first match."""

from pathlib import Path

import pytest

from collec_migrations.errors import HbaUnreadable, UsageError
from collec_migrations.postgres import configuration, hba
from collec_migrations.postgres.configuration import Block
from collec_migrations.postgres.hba import Attempt, Rule

OURS = Block(name="install collec", lines=("local collec collec scram-sha-256",))


def parsed(text: str, version: int = 180000) -> tuple[Rule, ...]:
    return hba.parse(text, Path("/nowhere/pg_hba.conf"), version=version)


def caught(text: str, attempt: Attempt, version: int = 180000) -> list[int]:
    return [rule.number for rule in hba.catching(parsed(text, version), attempt)]


LOCAL = Attempt(user="lab", database="samples")
LOOPBACK = Attempt(user="lab", database="samples", address="127.0.0.1")
FAR = Attempt(user="lab", database="samples", address="10.1.2.3")
SIX = Attempt(user="lab", database="samples", address="::1")
REPLICATION = Attempt(user="rep", database="", address="10.1.2.3", replication=True)
MEMBER = Attempt(user="lab", database="staff", member_of=frozenset({"staff"}))


@pytest.mark.parametrize(
    ("text", "attempt", "numbers"),
    [
        ("host all all all md5\nlocal all all md5", LOCAL, [2]),
        ("local\tsamples\tlab\treject # no\nlocal all all md5", LOCAL, [1]),
        ('local "samples" "lab" md5', LOCAL, [1]),
        ('local "all" all md5\nlocal all "all" md5', LOCAL, []),
        ("local a,samples x, lab md5", LOCAL, [1]),
        ("local a,samples , lab md5", LOCAL, [1]),
        ("local sameuser all md5\nlocal samerole all md5", LOCAL, []),
        ("local samerole all md5", MEMBER, [1]),
        ("local staff +staff md5", MEMBER, [1]),
        ('local staff "+staff" md5', MEMBER, []),
        ("local replication all md5", LOCAL, []),
        ("host all all all md5\nhost replication rep 10.0.0.0/8 md5", REPLICATION, [2]),
        ("host all all 127.0.0.1 255.255.255.255 md5", LOOPBACK, [1]),
        ("host all all 10.0.0.0 255.0.0.0 md5", FAR, [1]),
        ("host all all ::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff md5", SIX, [1]),
        ("host all all 0.0.0.0/0 md5\nhost all all ::0/0 md5", SIX, [2]),
        ("host all all samehost md5", LOOPBACK, [1]),
        ("host all all samenet md5\nhost all all 10.1.2.3/32 md5", FAR, [1, 2]),
        ("host all all .lab.example md5\nhost all all all reject", FAR, [1, 2]),
        (
            "hostssl all all all md5\nhostnossl all all all md5\nhost all all all md5",
            FAR,
            [1, 2, 3],
        ),
        ("local all /^la md5", LOCAL, [1]),
        ("local all all \\\n  md5", LOCAL, [1]),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_the_first_match_wins(text: str, attempt: Attempt, numbers: list[int]) -> None:
    assert caught(text, attempt) == numbers


def test_older_servers_know_no_regular_expressions_nor_includes() -> None:
    assert caught("local all /^la md5", LOCAL, 150000) == []
    with pytest.raises(HbaUnreadable, match=":1 is not a rule"):
        parsed("include other.conf", 150000)


def test_includes_lists_and_folders_are_read_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "names").write_text('lab, "two words"\nthree # a comment\n')
    (tmp_path / "extra.conf").write_text("local all @names reject\n")
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "b.conf").write_text("local b all md5\n")
    (folder / "a.conf").write_text("local a all md5\n")
    (folder / ".hidden.conf").write_text("local hidden all md5\n")
    (folder / "old.txt").write_text("local old all md5\n")
    main = tmp_path / "pg_hba.conf"
    main.write_text(
        "include_if_exists nothing.conf\ninclude extra.conf\ninclude_dir more\nlocal all all md5\n"
    )
    found = hba.read(main, version=160000)
    assert [rule.databases[0].text for rule in found] == ["all", "a", "b", "all"]
    assert [token.text for token in found[0].users] == ["lab", "two words", "three"]
    assert hba.catching(found, LOCAL)[0].place == f"{tmp_path}/extra.conf:1"


def test_files_that_include_themselves_are_an_error_and_not_a_loop(tmp_path: Path) -> None:
    main = tmp_path / "pg_hba.conf"
    main.write_text("include pg_hba.conf\n")
    with pytest.raises(HbaUnreadable, match="deep"):
        hba.read(main, version=180000)


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
    other = Block(name="install other", lines=("local other other md5",))
    both = OURS.first_in(other.text)
    assert other.text in both
    assert configuration.without_block(both, OURS.name) == other.text


@pytest.mark.parametrize("which", [0, -1], ids=["begin alone", "end alone"])
def test_half_a_block_is_refused(which: int) -> None:
    marker = OURS.text.splitlines()[which]
    with pytest.raises(UsageError, match="marker"):
        OURS.first_in(f"{marker}\nlocal all all md5\n")


NAMES = [
    "collec",
    "Collec",
    "all",
    "two words",
    'quo"te',
    "#x",
    "a,b",
    "@file",
    "+group",
    "é",
    "a\\",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_written_so_that_only_that_name_matches(name: str) -> None:
    text = (
        f"local {configuration.quoted_name(name)} {configuration.quoted_name(name)} scram-sha-256"
    )
    (rule,) = parsed(text)
    assert rule.method == "scram-sha-256"
    assert caught(text, Attempt(user=name, database=name)) == [1]
    assert caught(text, Attempt(user="somebody", database=name)) == []


@pytest.mark.parametrize("name", ["/regex", "line\nbreak"])
def test_a_name_that_no_rule_can_hold_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no rule"):
        configuration.quoted_name(name)
