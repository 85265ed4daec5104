"""The table of PostgreSQL's majors answers for each of them, and only once."""

import pytest

from collec_migrations.errors import ServerTooOld
from collec_migrations.postgres import pg_versions


@pytest.mark.parametrize("major", pg_versions.KNOWN)
def test_every_fact_has_one_value_for_every_major(major: str) -> None:
    at = pg_versions.KNOWN.index(major)
    for name, rows in pg_versions._table().items():
        covering = [
            value
            for first, last, value in rows
            if pg_versions.KNOWN.index(first) <= at <= pg_versions.KNOWN.index(last or major)
        ]
        assert len(covering) == 1, name


@pytest.mark.parametrize(
    ("version", "major"),
    [
        (90426, "9.4"),
        (90624, "9.6"),
        (100023, "10"),
        (150020, "15"),
        (180006, "18"),
        (210001, "21"),
    ],
)
def test_a_server_number_tells_its_major(version: int, major: str) -> None:
    assert pg_versions.of(version) == major


@pytest.mark.parametrize(
    ("release", "major"), [("9.4.26", "9.4"), ("9.6", "9.6"), ("9.6.24", "9.6"), ("15.20", "15")]
)
def test_a_release_tells_its_major_as_a_number(release: str, major: str) -> None:
    assert str(pg_versions.number_of(release)) == major
    assert pg_versions.number_of("9.4.26") < pg_versions.number_of("9.6.24") < 10


def test_a_major_after_the_newest_is_taken_for_it() -> None:
    assert not pg_versions.is_newer(pg_versions.KNOWN[-1])
    assert pg_versions.is_newer("19")
    for name in pg_versions._table():
        assert pg_versions.text(name, "19") == pg_versions.text(name, pg_versions.KNOWN[-1])
    assert pg_versions.server_has(190000, "hba_include")
    assert not pg_versions.server_has(150020, "hba_include")


def test_a_server_before_9_4_is_refused() -> None:
    with pytest.raises(ServerTooOld, match=r"9\.3"):
        pg_versions.of(90325)


def test_names_follow_the_major() -> None:
    assert pg_versions.text("fn_current_lsn", "9.6") == "pg_current_xlog_location"
    assert pg_versions.text("fn_current_lsn", "10") == "pg_current_wal_lsn"
    assert pg_versions.text("slot_cap_guc", "12") is None
    assert pg_versions.holds("must_write_timeline_latest", "11")
    assert not pg_versions.holds("must_write_timeline_latest", "12")


def test_a_newer_server_is_told_once_in_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    pg_versions.warn_if_newer.cache_clear()
    for version in (180004, 190001, 190001):
        pg_versions.warn_if_newer(version)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == ("warning: PostgreSQL 19 is newer than this release knows; it is taken for 18\n")
