"""Names that others choose, where they stand in units, cron lines, rules, reports."""

import json
import shlex
import tomllib
from pathlib import Path

import pytest

from collec_migrations.backup import nightly
from collec_migrations.backup.nightly import Schedule
from collec_migrations.cli import doctor
from collec_migrations.cli.render import replica as replica_text
from collec_migrations.doctor import Line, Page
from collec_migrations.errors import Problem, UsageError
from collec_migrations.postgres import configuration
from collec_migrations.replica import nodes, states

BREAKING = "lab\nExecStartPre=/bin/evil"
ODD = ('la"b', "la'b", "lab %n %h", "lab $HOME $(id) `id`", "<script>alert(1)</script>", "a;b|c&d",
       "a\\b", "--help")  # fmt: skip


def of(word: str, user: str = "postgres") -> Schedule:
    """Return a schedule whose command holds a word."""
    return Schedule(command=("/usr/bin/x", "--database", word), hour=1, minute=2, user=user)


@pytest.mark.parametrize(
    ("word", "user"), [(BREAKING, "postgres"), ("lab\r", "postgres"), ("lab", BREAKING)]
)
def test_a_schedule_with_a_line_break_is_refused(word: str, user: str) -> None:
    with pytest.raises(UsageError, match="neither systemd nor cron"):
        of(word, user)


@pytest.mark.parametrize("word", ODD)
def test_a_word_stays_one_word_for_cron_and_systemd(word: str) -> None:
    line = nightly.cron_line(of(word))
    assert line.count("\n") == 1
    # crontab(5): an unescaped % ends the command.
    command = line.split(maxsplit=5)[5].replace(r"\%", "\0")
    assert "%" not in command
    assert shlex.split(command.replace("\0", "%")) == list(of(word).command)
    (start,) = [
        one
        for one in next(iter(nightly.units(of(word)).values())).splitlines()
        if "ExecStart" in one
    ]
    assert "%" not in start.replace("%%", "")
    assert "$" not in start.replace("$$", "")
    unescaped = start.partition("=")[2].replace("%%", "%").replace("$$", "$")
    assert shlex.split(unescaped)[-1] == word


def test_a_rule_cannot_hold_a_line_break() -> None:
    with pytest.raises(UsageError):
        configuration.quoted_name("lab\nhost all all all trust")


@pytest.mark.parametrize("word", [BREAKING, "a|x=1", "\x1b[2J", *ODD])
def test_what_a_doctor_tells_stays_on_its_line(word: str) -> None:
    page = Page(title=word, lines=(Line("g", "n", problem=Problem(message=word, hint=word)),))
    assert all(one.lstrip("\n").isprintable() for one in doctor.page_lines(page, colour=False))
    assert doctor.nagios_line(page)[1].isprintable()
    assert "|" not in doctor.nagios_line(page)[1]


@pytest.mark.parametrize("word", [BREAKING, "a|x=1", *ODD])
def test_what_a_standby_tells_stays_on_its_line(word: str) -> None:
    finding = Problem(message=word, code="x")
    report = states.Report(nodes=(), findings=(finding,))
    text = replica_text.nagios(report)[1]
    assert text.isprintable()
    assert "|" not in text


@pytest.mark.parametrize("word", [BREAKING, *ODD[:7]])
def test_a_node_has_a_plain_name_and_its_address_any(word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        nodes.known_nodes([f"{word}=host=db1"])
    quoted = word.replace("\\", "\\\\").replace("'", "\\'")
    known = nodes.known_nodes([f"db1=host=db1 dbname='{quoted}'"])
    text = json.dumps(known[0].address.shown, ensure_ascii=False)
    (tmp_path / "nodes.toml").write_text(f"[nodes]\ndb1 = {text}\n")
    assert nodes.known_nodes([], tmp_path / "nodes.toml") == known
    assert tomllib.loads((tmp_path / "nodes.toml").read_text())["nodes"].keys() == {"db1"}
