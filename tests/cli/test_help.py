"""The help: quick, complete, and true for every command."""

import pytest
from typer.testing import CliRunner

from collec_migrations.cli import main
from tests import accounts

NAMES = [name for section in main.SECTIONS.values() for name in section]


def test_help_shows_every_command_in_one_screen() -> None:
    shown = CliRunner().invoke(main.app, ["--help"])
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert all(any(line.split()[:1] == [name] for line in lines) for name in NAMES)
    assert len(lines) <= 40


@pytest.mark.parametrize("name", NAMES)
def test_what_the_help_says_of_a_command_is_what_the_command_says(name: str) -> None:
    summary = {name: text for section in main.SECTIONS.values() for name, text in section.items()}
    shown = CliRunner().invoke(main.app, [name, "--help"])
    assert shown.exit_code == 0
    told = " ".join(shown.output.split())
    assert summary[name].removesuffix(".") in told


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main.app, ["nonsense"]).exit_code == 2


def test_the_help_loads_no_driver_no_alembic_and_no_command() -> None:
    slow = "{'alembic', 'sqlalchemy', 'psycopg2', 'pglast', 'collec_migrations.cli.upgrade'}"
    code = f"import collec_migrations.cli, sys; print(sorted({slow} & set(sys.modules)))"
    assert accounts.run(code) == "[]\n"


@pytest.mark.parametrize("name", ["detect", "verify", "adopt", "backup", "rehearse"])
def test_a_reading_command_loads_neither_alembic_nor_sqlalchemy(name: str) -> None:
    code = (
        f"import collec_migrations.cli.{name}, sys;"
        "print(sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    )
    assert accounts.run(code) == "[]\n"
