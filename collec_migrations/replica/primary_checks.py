"""What a primary lacks for a standby, all at once, each with its reason. Pure."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.sizes import shown
from collec_migrations.replica import primary_state
from collec_migrations.replica.primary_state import Primary

ENOUGH = 10
"""Senders and slots by default since 10; cheap, and a change needs a restart."""
FOR_ONE = 3
"""A base backup takes two senders, a standby one (manual, pg_basebackup)."""
KEPT = "64MB"
"""Beside a slot; what an old primary needs to come back before its own slot exists."""
KEPT_SEGMENTS = "4"
KEPT_WITHOUT_SLOT = "256"
"""9.4 and 9.5 cannot reserve WAL in a slot before its first use: 4 GB of segments."""
LEVELS = ("replica", "hot_standby", "logical")
"""With which the WAL holds enough; `hot_standby` is the name up to 9.5."""
EVERYWHERE = ("*", "0.0.0.0", "::")


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingItem:
    """Something that is missing, why that matters, and the setting that mends it."""

    what: str
    why: str
    setting: tuple[str, str] | None = None
    restart: bool = False
    """Whether the setting needs a restart of the primary to be in force."""


MissingItems: TypeAlias = Iterator[MissingItem]


def missing(primary: Primary, standby: str) -> tuple[MissingItem, ...]:
    """Return what a primary lacks for a standby at an address."""
    return (
        *_wal_level(primary),
        *_numbers(primary),
        *_listening(primary, standby),
        *_rewinding(primary),
        *_reading(primary),
        *_keeping(primary),
        *_capping(primary),
        *_space(primary),
        *_passwords(primary),
    )


def notes(primary: Primary, standby: str) -> tuple[str, ...]:
    """Return what is to be known, and is no obstacle."""
    found = []
    if primary.free is None:
        found.append("the free space was not checked: the server's disk is not of this machine")
    if not is_loopback(standby) and primary.value("ssl") != "on":
        found.append("ssl is off: all data travel in clear between the two machines")
    found += [
        f"{name} has another value in the files, which waits for a restart (running: {one.value})"
        for name, one in primary.settings.items()
        if one.pending
    ]
    if pg_versions.text("slot_cap_guc", primary.major) is None:
        found.append(
            f"PostgreSQL {primary.major} cannot limit what a slot keeps: drop the slot of a"
            " standby that stays away, or the disk fills"
        )
    return tuple(found)


def settings(found: tuple[MissingItem, ...]) -> Mapping[str, str]:
    """Return the settings that mend these findings."""
    return dict(one.setting for one in found if one.setting)


def _wal_level(primary: Primary) -> MissingItems:
    level = primary.value("wal_level")
    if level not in LEVELS:
        yield MissingItem(
            what=f"wal_level is {level}",
            why="the WAL does not hold what a standby needs to answer queries",
            setting=("wal_level", pg_versions.text("wal_level_standby", primary.major) or ""),
            restart=True,
        )


def _numbers(primary: Primary) -> MissingItems:
    used = {"max_wal_senders": primary.senders, "max_replication_slots": len(primary.slots)}
    for name, spare in (("max_wal_senders", FOR_ONE), ("max_replication_slots", 1)):
        if primary.number(name) < used[name] + spare:
            yield MissingItem(
                what=f"{name} is {primary.value(name)}, of which {used[name]} are in use",
                why="cloning takes two senders and a standby one"
                if spare == FOR_ONE
                else "a standby has a slot, so that the WAL it still needs is kept",
                setting=(name, str(max(ENOUGH, used[name] + spare))),
                restart=True,
            )


def _listening(primary: Primary, standby: str) -> MissingItems:
    listens = [
        word.strip() for word in primary.value("listen_addresses").split(",") if word.strip()
    ]
    near = is_loopback(standby)
    if any(word in EVERYWHERE or near or not is_loopback(word) for word in listens):
        return
    # One address more, not all of them.
    more = [] if primary.route in ("", *listens) else [primary.route]
    yield MissingItem(
        what=f"listen_addresses is {primary.value('listen_addresses') or 'empty'}",
        why=f"the server cannot be reached from {standby}",
        setting=("listen_addresses", ", ".join((*listens, *more))) if more else None,
        restart=True,
    )


def _rewinding(primary: Primary) -> MissingItems:
    if pg_versions.text("pg_rewind", primary.major) is None:
        return
    if "on" not in (primary.value("data_checksums"), primary.value("wal_log_hints")):
        yield MissingItem(
            what="wal_log_hints is off and the data have no checksums",
            why="after a failover pg_rewind could not bring this server back as a standby",
            setting=("wal_log_hints", "on"),
            restart=True,
        )
    if primary.value("full_page_writes") != "on":
        yield MissingItem(
            what="full_page_writes is off",
            why="a crash can damage the data, and pg_rewind needs it",
            setting=("full_page_writes", "on"),
        )


def _reading(primary: Primary) -> MissingItems:
    if primary.value("hot_standby") != "on":
        # In force on the standby alone, which is started with it.
        yield MissingItem(
            what="hot_standby is off",
            why="the standby would refuse every query",
            setting=("hot_standby", "on"),
        )


def _keeping(primary: Primary) -> MissingItems:
    name = pg_versions.text("wal_keep_guc", primary.major) or ""
    if pg_versions.text("bb_slot", primary.major) is None:
        value, why = KEPT_WITHOUT_SLOT, "a slot keeps WAL only once its standby has begun to read"
    else:
        value = KEPT if name == "wal_keep_size" else KEPT_SEGMENTS
        why = "after a failover the old primary needs a little WAL from before its slot exists"
    if primary_state.kept_wal(primary.sizes) == 0:
        yield MissingItem(what=f"{name} is 0", why=why, setting=(name, value))


def _capping(primary: Primary) -> MissingItems:
    name = pg_versions.text("slot_cap_guc", primary.major)
    if name and primary.number(name) < 0:
        cap = primary_state.slot_cap(primary.sizes, primary.free)
        yield MissingItem(
            what=f"{name} is -1",
            why="the slot of a standby that stays away would fill the disk of the primary",
            setting=(name, f"{cap // primary_state.MB}MB"),
        )


def _space(primary: Primary) -> MissingItems:
    if primary.free is None:
        return
    name = pg_versions.text("slot_cap_guc", primary.major)
    cap = primary.sizes[name] if name else 0
    cap = primary_state.slot_cap(primary.sizes, primary.free) if name and cap < 0 else cap
    worst = primary_state.worst_wal(primary.sizes, cap)
    if worst > primary.free:
        yield MissingItem(
            what=f"the WAL may come to {shown(worst)}, and there is room for {shown(primary.free)}",
            why="a full disk stops the primary; make room, or lower max_wal_size"
            + (f" or {name}" if name else ""),
        )


def _passwords(primary: Primary) -> MissingItems:
    method = pg_versions.text("hba_method", primary.major)
    value = primary.value("password_encryption")
    if method == "scram-sha-256" and value != method:
        yield MissingItem(
            what=f"password_encryption is {value}",
            why="passwords that are set later would be kept as MD5, which is easy to break",
            setting=("password_encryption", method),
        )


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine itself."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
