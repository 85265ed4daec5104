"""What a primary lacks and what is in the way of a clone, decided without any server."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from collec_migrations.errors import UsageError
from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.server_settings import Place
from collec_migrations.replica import (
    basebackup,
    clone_plan,
    local_node,
    primary,
    primary_state,
    standby_config,
)
from collec_migrations.replica.clone_plan import CloneTarget, Machine, TargetKind
from collec_migrations.replica.primary_state import Primary, Rights, Running
from tests.unit.test_standby_configuration import GOLDEN, UPSTREAM

GB = 1 << 30
ORDER = standby_config.standby_spec("postgresql://db1:5433", Path("/srv/b"), name="db2")
TARGET = CloneTarget(data=Path("/srv/b"), kind=TargetKind.ABSENT, account="postgres", free=500 * GB)
MACHINE = Machine(system="Linux", architecture="x86_64", version="15.18")
TOLD = "PostgreSQL 15.18 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit"


def fresh(major: str, **other: str) -> Primary:
    """Return a server of a major as initdb leaves it, seen from the server's own machine."""
    later = pg_versions.KNOWN.index(major) >= pg_versions.KNOWN.index("10")
    cap = pg_versions.text("slot_cap_guc", major)
    values = {
        "wal_level": pg_versions.text("wal_level_default", major) or "",
        "max_wal_senders": "10" if later else "0",
        "max_replication_slots": "10" if later else "0",
        "hot_standby": "on" if later else "off",
        "wal_log_hints": "off",
        "data_checksums": "on" if pg_versions.holds("checksums_default", major) else "off",
        "full_page_writes": "on",
        "listen_addresses": "localhost",
        "port": "5432",
        "password_encryption": (pg_versions.text("password_encryption_default", major) or "")[:13],
        pg_versions.text("wal_keep_guc", major) or "": "0",
        pg_versions.text("wal_size_guc", major) or "": "3" if major == "9.4" else "1024",
        **({cap: "-1"} if cap else {}),
        "ssl": "on",
        **other,
    }
    units = {"max_wal_size": "MB", "wal_keep_size": "MB", "max_slot_wal_keep_size": "MB"}
    return Primary(
        version=int(major) * 10000 if later else 90000 + int(major[2:]) * 100,
        version_text=TOLD,
        in_recovery=False,
        is_superuser=True,
        settings={
            name: Running(value=value, unit=units.get(name, "")) for name, value in values.items()
        },
        senders=0,
        slots=(),
        databases=10 * GB,
        tablespaces=(),
        address="",
        started=1,
        free=100 * GB,
        route="10.0.0.1",
    )


@pytest.mark.parametrize("major", pg_versions.KNOWN)
def test_the_settings_of_each_major_are_those_of_its_golden_file(major: str) -> None:
    _, settings = primary.missing(fresh(major), "10.0.0.2")
    place = Place(file=Path("x"), whole=True, old="")
    made = place.text(primary.CONF, settings)
    access = primary.access_block("10.0.0.2", major, encrypted=True).text
    roles = primary_state.role_statements(major, {}, {"rep": "SCRAM", "rewind": "SCRAM"})
    folder = GOLDEN / major / "primary"
    assert made == (folder / "collec-standby.conf").read_text()
    assert access == (folder / "pg_hba.conf").read_text()
    assert "".join(f"{one};\n" for one in roles) == (folder / "roles.sql").read_text()


@pytest.mark.parametrize("major", pg_versions.KNOWN)
def test_the_copy_of_each_major_is_called_as_in_its_golden_file(major: str) -> None:
    command = basebackup.command(major, "/bin/pg_basebackup", Path("/srv/b.partial"), UPSTREAM)
    golden = GOLDEN / major / "standby.command"
    assert "".join(f"{word}\n" for word in command) == golden.read_text()


@pytest.mark.parametrize("major", pg_versions.KNOWN)
def test_a_server_with_its_own_advice_lacks_nothing(major: str) -> None:
    found, advice = primary.missing(fresh(major), "10.0.0.2")
    assert found
    advice = {name: value.removesuffix("MB") for name, value in advice.items()}
    assert primary.missing(fresh(major, **advice), "10.0.0.2") == ((), {})


@pytest.mark.parametrize(
    ("changed", "what", "fixed"),
    [
        ({"wal_level": "minimal"}, "wal_level is minimal", True),
        ({"wal_log_hints": "off", "data_checksums": "off"}, "wal_log_hints is off", True),
        ({"full_page_writes": "off"}, "full_page_writes is off", True),
        ({"listen_addresses": ""}, "listen_addresses is empty", True),
        ({"max_slot_wal_keep_size": "200000"}, "the WAL may come to", False),
        ({"max_slot_wal_keep_size": "-1"}, "max_slot_wal_keep_size is -1", True),
        ({"password_encryption": "md5"}, "password_encryption is md5", True),
        ({"max_replication_slots": "0"}, "max_replication_slots is 0", True),
    ],
)
def test_one_thing_that_is_missing_is_told_alone(
    changed: Mapping[str, str], what: str, fixed: bool
) -> None:
    good = {"wal_level": "logical", "listen_addresses": "*", "wal_keep_size": "64"}
    good |= {"max_slot_wal_keep_size": "0", "wal_log_hints": "on"}  # 0 is a limit, too
    assert primary.missing(fresh("18", **good), "10.0.0.2") == ((), {})
    (found,), settings = primary.missing(fresh("18", **{**good, **changed}), "10.0.0.2")
    assert found.message.startswith(what)
    assert ": " in found.message  # why it matters
    assert found.code in found.hint
    assert bool(settings) is fixed


def test_senders_that_are_in_use_count() -> None:
    busy = replace(fresh("18"), senders=8, slots=tuple("abcdefghij"))
    _, changed = primary.missing(busy, "10.0.0.2")
    assert (changed["max_wal_senders"], changed["max_replication_slots"]) == ("11", "11")


@pytest.mark.parametrize(
    ("free", "cap"),
    [(None, 4096), (100 * GB, 50176), (1000 * GB, 65536), (1 * GB, 512)],
)
def test_a_slot_may_keep_what_the_disk_has_room_for(free: int | None, cap: int) -> None:
    assert primary_state.slot_cap({"max_wal_size": GB}, free) == cap * primary_state.MB


def test_sizes_are_read_in_their_own_units() -> None:
    assert primary_state.setting_bytes("2", "16MB") == 32 * primary_state.MB
    assert primary_state.setting_bytes("-1", "MB") == -1
    assert primary_state.most_wal({"checkpoint_segments": 3}) == 10 * primary_state.WAL_SEGMENT
    assert primary_state.kept_wal({"wal_keep_segments": 4}) == primary_state.kept_wal(
        {"wal_keep_size": 64 * primary_state.MB}
    )


@pytest.mark.parametrize(
    ("server", "target", "machine", "what"),
    [
        ({"in_recovery": True}, {}, {}, "is a standby itself"),
        ({"version_text": TOLD.replace("x86_64", "aarch64")}, {}, {}, "runs on aarch64"),
        ({"version_text": TOLD.replace("linux-gnu", "apple-darwin")}, {}, {}, "runs on darwin"),
        ({"version_text": "PostgreSQL 18.1 on arm64-linux, x"}, {}, {}, "runs on aarch64"),
        ({"settings": fresh("15", wal_level="minimal").settings}, {}, {}, "wal_level of the"),
        ({"tablespaces": ("fast",)}, {}, {}, "has tablespaces: fast"),
        ({"senders": 8}, {}, {}, "2 of 3 senders free"),
        ({"slots": tuple("abcdefghij")}, {}, {}, "no slot free"),
        ({"slots": ("db2_slot",)}, {}, {}, "'db2_slot' is there already"),
        ({}, {"free": 11 * GB - 1}, {}, "/srv has 11.81 GB free, and a standby needs 11.81 GB"),
        ({}, {"is_mount": True}, {}, "root of a file system"),
        ({}, {"parent_is_there": False}, {}, "/srv is not there"),
        ({}, {"writable": False}, {}, "may not make a folder in /srv"),
        ({}, {"reachable": False}, {}, "cannot reach /srv"),
        ({}, {"running": True, "kind": TargetKind.CLUSTER}, {}, "a server runs on /srv/b"),
        ({}, {"kind": TargetKind.CLUSTER, "system": "6"}, {}, "another system (6)"),
        ({}, {}, {"architecture": "aarch64"}, "this machine is aarch64"),
        ({}, {}, {"system": "Darwin"}, "this machine on Darwin"),
    ],
)
def test_one_obstacle_is_told_alone(
    server: dict[str, object], target: dict[str, object], machine: dict[str, str], what: str
) -> None:
    plain = replace(fresh("15"), version_text=TOLD)
    assert not clone_plan.clone_obstacles(ORDER, plain, "7", TARGET, MACHINE)
    found = clone_plan.clone_obstacles(
        ORDER,
        replace(plain, **server),  # type: ignore[arg-type]  # of several types
        "7",
        replace(TARGET, **target),  # type: ignore[arg-type]  # of several types
        replace(MACHINE, **machine),
    )
    assert [what in one.message for one in found] == [True], found
    assert all(one.hint for one in found)


@pytest.mark.parametrize("told", ["amd64-pc-linux-gnu", "x86_64-linux", "x86_64-pc-linux-gnu"])
def test_one_architecture_has_several_names(told: str) -> None:
    server = replace(fresh("15"), version_text=f"PostgreSQL 15.18 on {told}, compiled")
    assert not clone_plan.clone_obstacles(ORDER, server, "7", TARGET, MACHINE)


def test_a_standby_of_the_same_system_is_replaced_with_its_own_slot() -> None:
    server = replace(fresh("15"), slots=("db2_slot",))
    own = replace(TARGET, kind=TargetKind.CLUSTER, system="7", slot="db2_slot")
    assert not clone_plan.clone_obstacles(ORDER, server, "7", own, MACHINE)
    assert "moved aside" in " ".join(clone_plan.clone_notes(server, own, MACHINE))


def test_an_older_minor_release_is_noted() -> None:
    noted = clone_plan.clone_notes(fresh("15"), TARGET, replace(MACHINE, version="15.4"))
    assert "older than the primary's 15.18" in noted[0]
    assert not clone_plan.clone_notes(fresh("15"), TARGET, replace(MACHINE, version="15.20"))


def test_settings_are_raised_to_the_primarys_and_never_lowered() -> None:
    running = {"max_connections": 100, "max_worker_processes": 8}
    assert standby_config.raised_settings(
        running, {"max_connections": 20, "max_worker_processes": 16}
    ) == {"max_connections": "100"}
    assert "max_wal_senders" in standby_config.guarded_settings("12")
    assert "max_wal_senders" not in standby_config.guarded_settings("11")


@pytest.mark.parametrize(
    "address",
    ["postgresql:///postgres", "host=/run/postgresql", "postgresql://a,b/postgres"],
)
def test_a_primary_is_one_host(address: str) -> None:
    with pytest.raises(UsageError, match=r"one host|not a valid address"):
        standby_config.standby_spec(address, Path("/srv/b"), name="b")


def test_a_primary_keeps_what_makes_its_connection_safe() -> None:
    made = standby_config.standby_spec(
        "postgresql://db1/x?sslmode=verify-full&connect_timeout=3", Path("/srv/b"), name="b"
    )
    assert made.security == (("sslmode", "verify-full"),)
    assert (made.user, made.port) == ("rep", 5432)


@pytest.mark.parametrize("name", ["", "-x", "a b", "é", "x" * 59])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        standby_config.standby_spec("postgresql://db1", Path("/srv/b"), name=name or " ")


def test_another_order_of_texts_is_noted() -> None:
    assert (
        clone_plan.collation_notes((), "2.36")
        == clone_plan.collation_notes(("2.36",), "2.36")
        == ()
    )
    assert clone_plan.collation_notes(("2.31",), "") == ()
    assert "2.31" in clone_plan.collation_notes(("2.31",), "2.36")[0]


def test_roles_are_given_what_they_lack_and_no_new_password() -> None:
    there = {
        "rep": Rights(login=True, replication=False, rewinds=False, scram=True),
        "rewind": Rights(login=True, replication=False, rewinds=True, scram=False),
    }
    assert [one.name for one in primary_state.missing_roles("15", there)] == ["rep"]
    assert primary_state.weak_roles("15", there) == ("rewind",)
    assert primary_state.weak_roles("9.6", there) == ()
    first = next(primary_state.role_statements("15", there, {}))
    assert first == 'alter role "rep" with login replication'
    assert "password" not in " ".join(primary_state.role_statements("15", there, {}))


def test_a_cluster_of_debian_is_found_by_its_data(tmp_path: Path) -> None:
    config = tmp_path / "15/main/postgresql.conf"
    config.parent.mkdir(parents=True)
    config.write_text(f"# data_directory = '/old'\ndata_directory = '{tmp_path}/b' # here\n")
    found = local_node.debian_cluster(tmp_path / "b", etc=tmp_path)
    assert found is not None
    assert found.shown == "15/main"
    assert found.command("stop", "-m", "fast") == (
        *("pg_ctlcluster", "15", "main"),
        *("stop", "-m", "fast"),
    )
    assert local_node.debian_cluster(tmp_path / "c", etc=tmp_path) is None
