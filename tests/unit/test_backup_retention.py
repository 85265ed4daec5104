"""Retention: which backups stay, over three years of nights."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collec_migrations.backup import retention
from collec_migrations.backup.retention import Kept, Policy

FIRST = datetime(2023, 1, 1, 20, tzinfo=timezone(timedelta(hours=1)))
POLICY = Policy()
LATER = FIRST + timedelta(days=9999)


def removed(there: list[Kept], policy: Policy, now: datetime = LATER) -> tuple[str, ...]:
    return retention.to_remove(there, policy, now=now)


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
        gone = removed(there, policy)
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
        assert len(there) <= 3, "the last two days, and the newest verified one"


def test_a_policy_of_nothing_keeps_the_newest() -> None:
    there = [night(number) for number in range(5)]
    nothing = Policy(daily=0, weekly=0, monthly=0)
    assert removed(there, nothing) == tuple(one.id for one in there[:-2])


def test_a_backup_before_an_upgrade_stays() -> None:
    there = [night(0, nightly=False), *(night(number) for number in range(400, 500))]
    assert "a00000" not in removed(there, POLICY)


def test_databases_do_not_count_for_each_other() -> None:
    there = [night(0, name="rare"), *(night(number, name="busy") for number in range(1000))]
    assert "rare00000" not in removed(there, POLICY)


def test_nights_that_failed_do_not_use_up_what_is_kept() -> None:
    there = [night(number) for number in (0, 1, 2, 700, 701)]
    assert removed(there, Policy(daily=5, weekly=0, monthly=0)) == ()


def test_two_on_one_day_are_one_day() -> None:
    later = Kept(id="later", database="a", taken=FIRST + timedelta(hours=2))
    assert removed([night(0), later, night(3)], POLICY) == ("a00000",)


def test_nothing_younger_than_two_days_goes() -> None:
    """The good backup of the morning is there when the accident of the afternoon is seen."""
    morning, nothing = night(0), Policy(daily=0, weekly=0, monthly=0)
    for hours, gone in ((4, ()), (47, ()), (48, ("a00000",))):
        later = Kept(id="later", database="a", taken=FIRST + timedelta(hours=hours))
        assert removed([morning, later], nothing) == gone, hours
    today = FIRST + timedelta(hours=50)
    future = Kept(id="future", database="a", taken=FIRST + timedelta(days=365))
    assert removed([morning, future], nothing, now=today) == ("a00000",)
    assert removed([morning, future], nothing, now=today - timedelta(hours=4)) == ()


def test_the_server_orders_backups_and_no_clock() -> None:
    """A backup dated in the future is not the newest for ever."""
    future = Kept(id="future", database="a", taken=FIRST + timedelta(days=3650), position=1)
    nights = [
        Kept(
            id=f"n{number}", database="a", taken=FIRST + timedelta(days=number), position=2 + number
        )
        for number in range(9)
    ]
    nothing = Policy(daily=0, weekly=0, monthly=0)
    gone = removed([future, *nights], nothing, now=FIRST + timedelta(days=8))
    assert gone == tuple(f"n{number}" for number in range(7)), "the newest by the server stays"


def test_databases_of_two_servers_do_not_count_for_each_other() -> None:
    """Over 400 days, with gaps: each server's nights are kept as if it were alone."""
    nothing: list[Kept] = []
    alone: dict[str, list[Kept]] = {"s1": [], "s2": []}
    together = list(nothing)
    for number in range(400):
        for server, name in (("s1", "a"), ("s2", "a"), ("s1", "b")):
            if number % (7 if server == "s2" else 11) == 3:
                continue  # a night that failed
            made = Kept(
                id=f"{server}{name}{number:04}",
                database=name,
                server=server,
                taken=FIRST + timedelta(days=number),
                position=number,
            )
            together.append(made)
            if name == "a":
                alone[server].append(made)
        now = FIRST + timedelta(days=number)
        gone = removed(together, POLICY, now)
        together = [one for one in together if one.id not in gone]
        for server, its in alone.items():
            left = removed(its, POLICY, now)
            alone[server] = [one for one in its if one.id not in left]
            beside = [one.id for one in together if (one.server, one.database) == (server, "a")]
            assert beside == [one.id for one in alone[server]]


@pytest.mark.parametrize(
    ("before", "after", "same", "told"),
    [
        ({"t": 100}, {"t": 51}, True, []),
        ({"t": 100}, {"t": 50}, True, ["all tables", "t"]),
        ({"t": 100, "u": 900}, {"t": 0, "u": 900}, True, ["t"]),
        ({"t": 100, "u": 900}, {"u": 900}, True, ["t"]),
        ({"t": 100, "u": 900}, {"v": 100, "u": 900}, False, []),
        ({"t": 19, "u": 900}, {"t": 0, "u": 900}, True, []),
        ({"t": 500, "u": 500}, {}, False, ["all tables"]),
        ({"t": 3}, {}, True, []),
    ],
)
def test_a_fall_by_a_half_is_told(
    before: dict[str, int], after: dict[str, int], same: bool, told: list[str]
) -> None:
    found = retention.falls(before, after, same_version=same)
    assert [line.partition(":")[0] for line in found] == told


def test_a_damaged_one_stands_in_for_none_and_goes_when_a_sound_one_would() -> None:
    policy = Policy(daily=2, weekly=0, monthly=0)
    damaged = [night(number, damaged=True) for number in (1, 3)]
    assert removed([night(0), *damaged, night(2)], policy) == ("a00001",)
    assert removed([night(0), night(2), *damaged, night(4)], policy) == ("a00000", "a00001")
    assert removed([night(0), *damaged, night(4), night(5)], policy) == (
        "a00000", "a00001", "a00003"
    )  # fmt: skip


def test_damaged_ones_stay_while_there_is_no_newer_sound_one() -> None:
    nothing = Policy(daily=0, weekly=0, monthly=0)
    damaged = [night(number, damaged=True) for number in (0, 2, 3)]
    assert removed(damaged, nothing) == ()
    assert removed([*damaged, night(1)], nothing) == ("a00000",)


def test_a_damaged_one_from_before_an_upgrade_stays() -> None:
    there = [night(0, nightly=False, damaged=True), *(night(number) for number in range(400, 500))]
    assert "a00000" not in removed(there, POLICY)


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
    gone = removed(there, Policy(daily=daily, weekly=weekly, monthly=monthly))
    left = [one for one in there if one.id not in gone]
    assert max(one.id for one in left) == max(one.id for one in there)
    for some in (
        [one.id for one in there if one.verified],
        [one.id for one in there if not one.damaged],
    ):
        assert not some or max(some) in [one.id for one in left]
    assert removed(left, Policy(daily=daily, weekly=weekly, monthly=monthly)) == ()


@pytest.mark.parametrize("count", [1, 3, 7])
def test_so_many_days_are_kept(count: int) -> None:
    there = [night(number) for number in range(30)]
    policy = Policy(daily=count, weekly=0, monthly=0)
    assert len(there) - len(removed(there, policy)) == max(count, 2)


@given(
    nights=st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"]), st.floats(0.2, 9)),
        min_size=30,
        max_size=120,
    ),
    clock=st.lists(st.integers(-3, 3), min_size=1, max_size=5),
    falls=st.sets(st.integers(0, 119), max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_over_four_hundred_days_nothing_young_nothing_new_and_no_other_database_goes(
    nights: list[tuple[str, str, float]], clock: list[int], falls: set[int]
) -> None:
    """Nights with gaps, two servers, two databases, a clock that is put forward and back, and falls
    of the rows at which somebody looks after five nights more."""
    there: list[Kept] = []
    day = 0.0
    for position, (server, database, gap) in enumerate(nights):
        day += gap
        if day > 400:
            break
        now = FIRST + timedelta(days=day + clock[position % len(clock)])
        made = Kept(
            id=f"{position:05}", database=database, server=server, taken=now, position=position,
            fallen=position in falls,
        )  # fmt: skip
        looked = [replace(one, fallen=False) if one.position < position - 5 else one
                  for one in there]  # fmt: skip
        before = [*looked, made]
        of_it = [one for one in before if (one.server, one.database) == (server, database)]
        gone = set(removed(retention.settled(of_it), POLICY, now))
        assert not (gone and any(one.fallen for one in of_it)), "nothing goes before a look"
        there = [one for one in before if one.id not in gone]
        assert made in there
        assert all(now - one.taken >= timedelta(hours=48) for one in before if one.id in gone)
        for origin in {(one.server, one.database) for one in before}:
            its = [one for one in before if (one.server, one.database) == origin]
            assert its[-1] in there, "the newest of each database stays"
