"""How much WAL a server may keep, and how much disk that takes. Pure.

Worst case on the primary (facts 2.3): `max_wal_size` and the greater of what is kept by number and
what a slot may keep; a slot without a limit keeps everything until the disk is full.
"""

from collections.abc import Mapping

MB = 1 << 20
SEGMENT = 16 * MB
UNITS = {"B": 1, "kB": 1 << 10, "MB": MB, "GB": 1 << 30, "TB": 1 << 40}
CAP_LEAST = 512 * MB
"""For a standby that is away for a short while; as in the sequence that was tried (facts 4.4)."""
CAP_MOST = 64 << 30
CAP_UNKNOWN = 4096 * MB
"""When the free space is not known: what 256 segments of the former setting were (facts 1.2)."""


def size(setting: str, unit: str) -> int:
    """Return the bytes of a setting of pg_settings, whose unit may be `8kB`; -1 stays -1."""
    number = int(setting)
    if number < 0 or not unit:
        return number
    base = unit.lstrip("0123456789")
    return number * int(unit[: -len(base)] or 1) * UNITS[base]


def most(sizes: Mapping[str, int]) -> int:
    """Return `max_wal_size` in bytes; on 9.4 what `checkpoint_segments` comes to.

    `sizes` holds the settings by name, in bytes or as the number of segments.
    """
    if "checkpoint_segments" in sizes:
        # Manual of 9.4, 29.4: (2 + checkpoint_completion_target) * checkpoint_segments + 1.
        return (3 * sizes["checkpoint_segments"] + 1) * SEGMENT
    return sizes["max_wal_size"]


def kept(sizes: Mapping[str, int]) -> int:
    """Return the bytes that are kept for standbys by number, whatever the major calls it."""
    return sizes.get("wal_keep_size", sizes.get("wal_keep_segments", 0) * SEGMENT)


def worst(sizes: Mapping[str, int], cap: int) -> int:
    """Return what pg_wal may come to when a slot may keep `cap` bytes."""
    return most(sizes) + max(kept(sizes), cap)


def room(sizes: Mapping[str, int], free: int) -> int:
    """Return the bytes that a slot may keep with this much free: it leaves half of it."""
    return free // 2 - most(sizes)


def cap(sizes: Mapping[str, int], free: int | None) -> int:
    """Return what to let a slot keep: whole multiples of 64 MB, at least 512 MB."""
    wanted = CAP_UNKNOWN if free is None else room(sizes, free)
    wanted = max(CAP_LEAST, min(wanted, CAP_MOST))
    return wanted // (64 * MB) * (64 * MB)


def for_clone(databases: int, sizes: Mapping[str, int]) -> int:
    """Return the bytes that a standby needs: the data, and the WAL of the copy and after it."""
    return databases + most(sizes) + kept(sizes)
