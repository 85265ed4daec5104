"""SQL that 9.4 to 9.6 would refuse is found by a list, since no such server can be had."""

import pytest

from tools import check_old_servers


def test_no_text_of_the_package_needs_a_server_newer_than_9_4() -> None:
    assert check_old_servers.refused() == []


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("select array(select array[a, b] from t)", 9.5),
        ("insert into t values (1) on conflict do nothing", 9.5),
        ("select parse_ident(name) from t", 9.6),
        ("select current_setting('a.b', true)", 9.6),
        ("select to_regclass(name) from t", 9.6),
        ("select pg_current_wal_lsn()", 10),
        ("create trigger t before insert on x execute function f()", 11),
    ],
)
def test_what_came_later_is_told_with_its_major(text: str, since: float) -> None:
    assert [one for one, _ in check_old_servers.found(text)] == [since]


@pytest.mark.parametrize(
    "text",
    ["select array(select a from t)", "select to_regclass('t')", "select 1 -- on conflict"],
)
def test_what_9_4_knows_is_not(text: str) -> None:
    assert not list(check_old_servers.found(text))


def test_no_exception_is_left_over() -> None:
    every = check_old_servers.texts()
    used = {where for where, text in every if any(check_old_servers.found(text))}

    assert set(check_old_servers.ASKED) <= used
