"""A clone that fails on the way leaves nothing: no copy, no slot, no server."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from collec_migrations.replica import local_node
from tests import accounts, clusters, primaries, proxy
from tests.database.test_backup_faults import disk_of
from tests.faults import until
from tests.primaries import Prepared

SLOWED = '"$real" -r 1M "$@"'


def killing(prepared: Prepared, name: str) -> Path:
    """Return programs of which pg_basebackup is killed when it has begun to copy."""
    return clusters.wrapped(
        prepared.site,
        "pg_basebackup",
        f"{SLOWED} & copy=$!\n"
        f"while [ ! -d {prepared.site.home}/{name}.partial/base ] && kill -0 $copy; do :; done\n"
        "kill -9 $copy; wait $copy",
    )


def damaging(prepared: Prepared, name: str) -> Path:
    """Return programs of which pg_basebackup leaves a file that was changed afterwards."""
    return clusters.wrapped(
        prepared.site,
        "pg_basebackup",
        f'"$real" "$@" || exit\nprintf wrong | dd conv=notrunc bs=1 seek=100'
        f" of={prepared.site.home}/{name}.partial/global/pg_filenode.map",
    )


def silent(prepared: Prepared, name: str) -> Path:
    """Return programs of which pg_ctl starts a standby that looks for its primary elsewhere."""
    auto = prepared.site.home / name / "postgresql.auto.conf"
    return clusters.wrapped(
        prepared.site,
        "pg_ctl",
        f'sed -i "s/port={prepared.port} /port=1 /" {auto}\nexec "$real" "$@"',
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (killing, "pg_basebackup was killed by signal 9"),
        (damaging, "pg_filenode.map"),
        (silent, "the standby does not stream"),
    ],
)
def test_a_clone_that_fails_leaves_nothing(
    prepared: Prepared, name: str, fault: Callable[[Prepared, str], Path], said: str
) -> None:
    programs = fault(prepared, name)
    words = ("--bindir", programs, "--timeout", 2, "--listen", f":{clusters.free_port()}")
    failed = prepared.clone(name, *words)
    assert failed.exit_code == 3, failed.output
    assert said in failed.output
    assert not prepared.left(name)


def test_a_standby_that_does_not_start_gives_way_to_the_folder_before(
    prepared: Prepared, name: str
) -> None:
    data = prepared.site.home / name
    (data / "global").mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    (data / "mine").touch()
    # Without --port it takes the primary's own, which is in use on this machine.
    failed = prepared.clone(name, "--force")
    assert failed.exit_code == 3
    assert "did not start" in failed.output
    assert prepared.left(name) == {name}
    assert (data / "mine").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_clone_that_is_ended_leaves_nothing_or_what_the_next_run_clears(
    prepared: Prepared, name: str, number: signal.Signals
) -> None:
    slow = clusters.wrapped(prepared.site, "pg_basebackup", f"exec {SLOWED}")
    words = prepared.words(name, "--yes", "--bindir", slow)
    with accounts.spawn(primaries.MAIN, *words) as process:
        until(lambda: (prepared.site.home / f"{name}.partial/base").exists())
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    if number is not signal.SIGKILL:
        assert process.returncode == 3
        assert f"ended by {number.name}" in said
        assert not prepared.left(name)
        return
    assert f"{name}_slot" in prepared.left(name)
    port = clusters.free_port()
    # The copy notices that we are gone, and lets the next run in.
    again = [prepared.clone(name, "--listen", f":{port}")]

    def is_let_in() -> bool:
        if again[-1].exit_code == 75:
            again.append(prepared.clone(name, "--listen", f":{port}"))
        return again[-1].exit_code != 75

    until(is_let_in)
    assert again[-1].exit_code == 0, again[-1].output
    assert "cleared what a killed run had left" in again[-1].output
    assert prepared.left(name) == {name, f"{name}_slot"}


def test_a_network_that_is_cut_ends_the_copy(prepared: Prepared, name: str) -> None:
    partial = prepared.site.home / f"{name}.partial"
    slow = clusters.wrapped(prepared.site, "pg_basebackup", f"exec {SLOWED}")
    with proxy.proxy(prepared.port) as method:
        words = prepared.words(name, "--yes", "--bindir", slow, "--timeout", 1)
        words[words.index("clone") + 1] = f"postgresql://127.0.0.1:{method.port}"
        with accounts.spawn(primaries.MAIN, *words) as process:
            until((partial / "base").exists)
            method.cut()
            # The slot is dropped once the primary can be reached again.
            until(lambda: not partial.exists())
            method.heal()
            _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "nothing arrived from the primary for 5 seconds" in said
    assert not prepared.left(name)


FILL = "cat /dev/zero >{folder}/of_somebody_else 2>/dev/null\n"


@accounts.needs_root
def test_a_disk_that_is_full_ends_the_copy(prepared: Prepared, name: str) -> None:
    disk = prepared.site.home / f"{name}.disk"
    with disk_of(500, disk):
        os.chown(disk, prepared.site.account.uid, prepared.site.account.gid)
        full = clusters.wrapped(
            prepared.site, "pg_basebackup", f'{FILL.format(folder=disk)}exec "$real" "$@"'
        )
        words = prepared.words(name, "--bindir", full, "--yes")
        words[words.index("--data") + 1] = str(disk / "data")
        failed = clusters.command(*words)
        assert failed.exit_code == 3, failed.output
        assert "No space left on device" in failed.output
        assert "Make room, or use another disk." in failed.output
        assert [path.name for path in disk.iterdir()] == ["of_somebody_else"]
    assert f"{name}_slot" not in prepared.slots()


def test_a_slot_on_a_primary_that_died_is_told_and_dropped_by_the_next_run() -> None:
    with clusters.site(18) as site:
        prepared = primaries.prepare(site)
        server = site.node("primary").data / "postmaster.pid"
        dying = clusters.wrapped(
            site,
            "pg_basebackup",
            f"{SLOWED} & copy=$!\n"
            f"while [ ! -d {site.home}/standby.partial/base ] && kill -0 $copy; do :; done\n"
            f"kill -QUIT $(head -n 1 {server}); wait $copy",
        )
        failed = prepared.clone("standby", "--bindir", dying)
        assert failed.exit_code == 3, failed.output
        assert "the slot 'standby_slot' is still on" in failed.output
        until(lambda: not local_node.is_running(site.node("primary")))
        local_node.start(site.node("primary"))
        assert prepared.left("standby") == {"standby.cloning", "standby_slot"}
        again = prepared.clone("standby", "--listen", f":{clusters.free_port()}")
        assert again.exit_code == 0, again.output
        assert prepared.left("standby") == {"standby", "standby_slot"}


@accounts.needs_root
def test_a_folder_that_is_out_of_reach_is_told(prepared: Prepared, name: str) -> None:
    closed = prepared.site.home / name
    closed.mkdir(mode=0o700)
    before = prepared.site.home.stat().st_mode
    prepared.site.home.chmod(0o711)
    try:
        words = [*prepared.words(name)[:-2], "--plan"]  # its own password file
        words[words.index("--data") + 1] = str(closed / "x/data")
        with accounts.spawn(primaries.MAIN, *words, who=accounts.somebody()) as process:
            _, said = process.communicate(timeout=30)
    finally:
        prepared.site.home.chmod(before)
    assert process.returncode == 3, said
    assert "permission denied" in said
    assert "Traceback" not in said
