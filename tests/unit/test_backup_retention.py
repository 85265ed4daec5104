"""Retention: which backups stay, over three years of nights."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collec_migrations.backup.retention import Kept, Policy, to_remove

FIRST = datetime(2023, 1, 1, 20, tzinfo=timezone(timedelta(hours=1)))
POLICY = Policy()


def night(
    number: int,
    *,
    verified: bool = False,
    nightly: bool = True,
    name: str = "a",
    damaged: bool = False,
) -> Kept:
    return Kept(
        id=f"{name}{number:05}",
        database=name,
        taken=FIRST + timedelta(days=number),
        verified=verified,
        nightly=nightly,
        damaged=damaged,
    )


def three_years(policy: Policy = POLICY) -> Iterator[tuple[int, list[Kept]]]:
    """Yield, night by night, what is there after a run and its retention."""
    there: list[Kept] = []
    for number in range(3 * 365):
        there.append(night(number, verified=number % 30 == 0))
        gone = to_remove(there, policy)
        there = [one for one in there if one.id not in gone]
        yield number, there


def test_three_years_of_nights_keep_days_weeks_and_months() -> None:
    for number, there in three_years():
        days = [one.taken.date() for one in there]
        today = (FIRST + timedelta(days=number)).date()
        assert all(today - timedelta(days=back) in days for back in range(min(7, number + 1)))
        assert len(there) <= 7 + 5 + 12 + 1
    months = {(day.year, day.month) for day in days}
    assert len(months) == 12 + (min(days) < days[-1].replace(year=days[-1].year - 1))
    assert len({day.isocalendar()[:2] for day in days if day > days[-1] - timedelta(days=35)}) >= 5


def test_the_newest_verified_one_is_there_every_night() -> None:
    for number, there in three_years(Policy(daily=1, weekly=0, monthly=0)):
        assert max(one.id for one in there if one.verified) == f"a{number - number % 30:05}"
        assert len(there) <= 2


def test_a_policy_of_nothing_keeps_the_newest() -> None:
    there = [night(number) for number in range(5)]
    nothing = Policy(daily=0, weekly=0, monthly=0)
    assert to_remove(there, nothing) == tuple(one.id for one in there[:-1])


def test_a_backup_before_an_upgrade_stays() -> None:
    there = [night(0, nightly=False), *(night(number) for number in range(400, 500))]
    assert "a00000" not in to_remove(there, POLICY)


def test_databases_do_not_count_for_each_other() -> None:
    there = [night(0, name="rare"), *(night(number, name="busy") for number in range(1000))]
    assert "rare00000" not in to_remove(there, POLICY)


def test_nights_that_failed_do_not_use_up_what_is_kept() -> None:
    there = [night(number) for number in (0, 1, 2, 700, 701)]
    assert to_remove(there, Policy(daily=5, weekly=0, monthly=0)) == ()


def test_two_on_one_day_are_one_day() -> None:
    later = Kept(id="later", database="a", taken=FIRST + timedelta(hours=2))
    assert to_remove([night(0), later], POLICY) == ("a00000",)


def test_a_damaged_one_stands_in_for_none_and_goes_when_a_sound_one_would() -> None:
    policy = Policy(daily=2, weekly=0, monthly=0)
    damaged = [night(number, damaged=True) for number in (1, 3)]
    assert to_remove([night(0), *damaged, night(2)], policy) == ("a00001",)
    assert to_remove([night(0), night(2), *damaged, night(4)], policy) == ("a00000", "a00001")
    assert to_remove([night(0), *damaged, night(4), night(5)], policy) == (
        "a00000", "a00001", "a00003"
    )  # fmt: skip


def test_damaged_ones_stay_while_there_is_no_newer_sound_one() -> None:
    nothing = Policy(daily=0, weekly=0, monthly=0)
    damaged = [night(number, damaged=True) for number in (0, 2, 3)]
    assert to_remove(damaged, nothing) == ()
    assert to_remove([*damaged, night(1)], nothing) == ("a00000",)


def test_a_damaged_one_from_before_an_upgrade_stays() -> None:
    there = [night(0, nightly=False, damaged=True), *(night(number) for number in range(400, 500))]
    assert "a00000" not in to_remove(there, POLICY)


STATES = ("verified", "damaged", "")


@settings(max_examples=200)
@given(
    nights=st.dictionaries(st.integers(0, 2000), st.sampled_from(STATES), min_size=1),
    daily=st.integers(0, 9),
    weekly=st.integers(0, 9),
    monthly=st.integers(0, 9),
)
def test_whatever_the_policy_the_newest_and_the_newest_verified_stay(
    nights: dict[int, str], daily: int, weekly: int, monthly: int
) -> None:
    there = [
        night(number, verified=state == "verified", damaged=state == "damaged")
        for number, state in nights.items()
    ]
    gone = to_remove(there, Policy(daily=daily, weekly=weekly, monthly=monthly))
    left = [one for one in there if one.id not in gone]
    assert max(one.id for one in left) == max(one.id for one in there)
    for some in (
        [one.id for one in there if one.verified],
        [one.id for one in there if not one.damaged],
    ):
        assert not some or max(some) in [one.id for one in left]
    assert to_remove(left, Policy(daily=daily, weekly=weekly, monthly=monthly)) == ()


@pytest.mark.parametrize("count", [1, 3, 7])
def test_so_many_days_are_kept(count: int) -> None:
    there = [night(number) for number in range(30)]
    policy = Policy(daily=count, weekly=0, monthly=0)
    assert len(there) - len(to_remove(there, policy)) == count
