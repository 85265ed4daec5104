"""Settings of a real server: written safely, those that wait for a restart told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collec_migrations.errors import MigrationError, SettingsRefused, UsageError
from collec_migrations.postgres import quoting, server_settings
from collec_migrations.postgres.server_settings import Setting, Written
from tests.sites import Site


def put(site: Site, **settings: str) -> Written:
    with site.admin() as session:
        return server_settings.apply(session, "collec-test", settings, reconnect=site.reconnect)


@pytest.fixture
def main(site_server: Site) -> Iterator[Path]:
    """Return the server's main file, which is put back."""
    file = site_server.folder / "data" / "postgresql.conf"
    old = file.read_bytes()
    yield file
    file.write_bytes(old)
    for extra in (*file.parent.glob("postgresql.conf.*"), *file.parent.glob("conf.d/*")):
        extra.unlink()
    site_server.execute("select pg_reload_conf()")


def test_settings_go_to_the_end_of_the_main_file(site_server: Site, main: Path) -> None:
    before = main.stat()
    done = put(site_server, work_mem="7MB", max_wal_senders="17", cluster_name="it's a \\ name")
    assert done.changed
    assert done.file == main
    assert set(done.restart) == {"max_wal_senders", "cluster_name"}
    assert site_server.query("show work_mem") == [("7MB",)]
    assert (main.stat().st_uid, main.stat().st_mode) == (before.st_uid, before.st_mode)
    again = put(site_server, work_mem="7MB", max_wal_senders="17", cluster_name="it's a \\ name")
    assert not again.changed
    assert again.restart == done.restart
    assert put(site_server, work_mem="8MB").changed
    assert main.read_text().count(">>> collec-migrations") == 1


def test_what_was_written_before_stays_when_more_is_written(site_server: Site, main: Path) -> None:
    """A second standby needs more senders; what the first one needed is still needed."""
    put(site_server, work_mem="7MB", max_wal_senders="17", cluster_name="it's a \\ name")
    put(site_server, work_mem="8MB", maintenance_work_mem="9MB")
    assert site_server.query("show work_mem") == [("8MB",)]
    assert main.read_text().endswith(
        "# >>> collec-migrations collec-test\n"
        "work_mem = '8MB'\nmax_wal_senders = '17'\ncluster_name = 'it''s a \\\\ name'\n"
        "maintenance_work_mem = '9MB'\n# <<< collec-migrations collec-test\n"
    )
    assert not put(site_server, work_mem="8MB").changed


def test_a_folder_that_is_included_gets_a_file_of_its_own(site_server: Site, main: Path) -> None:
    folder = main.parent / "conf.d"
    folder.mkdir(exist_ok=True)
    main.write_text(main.read_text() + "\ninclude_dir = 'conf.d' # more\n")
    done = put(site_server, work_mem="9MB")
    assert done == Written(file=folder / "collec-test.conf", changed=True, copy=None, restart=())
    put(site_server, maintenance_work_mem="9MB")
    assert site_server.query("show work_mem") == [("9MB",)]
    assert (done.file.stat().st_uid, done.file.stat().st_mode) == (
        main.stat().st_uid, main.stat().st_mode,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "error", "why"),
    [
        ({"no_such_thing": "1"}, UsageError, "no setting 'no_such_thing'"),
        ({"max_wal_senders": "many"}, UsageError, "a number"),
        ({"max_wal_senders": "-1"}, UsageError, "between 0"),
        ({"wal_level": "some"}, UsageError, "one of"),
        ({"hot_standby": "perhaps"}, UsageError, "on or off"),
        ({"log_line_prefix": "a\nb"}, UsageError, "line break"),
        ({"synchronous_standby_names": "first ("}, SettingsRefused, "as it was"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_the_server_would_not_take_is_never_left(
    site_server: Site, main: Path, settings: dict[str, str], error: type[MigrationError], why: str
) -> None:
    old = main.read_bytes()
    with pytest.raises(error, match=why):
        put(site_server, **settings)
    assert main.read_bytes() == old
    assert [one.name for one in main.parent.glob("postgresql.conf*")] == ["postgresql.conf"]


def test_a_setting_that_another_file_overrides_is_refused(site_server: Site, main: Path) -> None:
    site_server.execute("alter system set work_mem = '5MB'")
    old = main.read_bytes()
    try:
        with pytest.raises(SettingsRefused, match=r"postgresql\.auto\.conf sets work_mem again"):
            put(site_server, work_mem="6MB")
    finally:
        site_server.execute("alter system reset work_mem")
    assert main.read_bytes() == old


@pytest.mark.parametrize(
    ("unit", "value", "why"),
    [
        ("8kB", "128MB", ""), ("8kB", "16384", ""), ("8kB", "1TB", "between"),
        ("8kB", "5s", "a number"), ("ms", "5min", ""), ("ms", "1d", ""), ("", "3", ""),
        ("", "3GB", "a number"), ("", "x", "a number"),
    ],
)  # fmt: skip
def test_units(unit: str, value: str, why: str) -> None:
    setting = Setting(name="n", kind="integer", unit=unit, low="1", high="100000000",
                      choices=(), restart=True)  # fmt: skip
    assert why in server_settings.fault(setting, value)
    assert bool(why) == bool(server_settings.fault(setting, value))


def test_values_are_quoted_for_the_file() -> None:
    assert quoting.configuration_value("it's \\ one") == "'it''s \\\\ one'"


@pytest.mark.parametrize(
    ("value", "unit", "number"),
    [("3min", "s", 180), ("90s", "min", 1.5), ("2h", "min", 120), ("1d", "h", 24),
     ("5s", "ms", 5000), ("8MB", "8kB", 1024), ("1GB", "MB", 1024)],
)  # fmt: skip
def test_a_value_is_read_in_the_unit_of_its_setting(value: str, unit: str, number: float) -> None:
    setting = Setting(name="n", kind="real", unit=unit, low=str(number), high=str(number),
                      choices=(), restart=True)  # fmt: skip
    assert server_settings.fault(setting, value) == ""
