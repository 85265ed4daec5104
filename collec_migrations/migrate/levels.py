"""Where versions stand on the chain, and which of them a schema leaves on the way back. Pure."""

from collections.abc import Iterable, Sequence


def between(versions: Sequence[str], old: str | None, new: str) -> Sequence[str]:
    """Return the versions after `old`, None: from the first on, up to `new`."""
    first = 0 if old is None else versions.index(old) + 1
    return versions[first : versions.index(new) + 1]


def before(versions: Sequence[str], version: str) -> str | None:
    """Return the version before, or None for the first one."""
    index = versions.index(version)
    return versions[index - 1] if index else None


def leaving(versions: Sequence[str], *, at: str, needed: Iterable[str | None]) -> tuple[str, ...]:
    """Return the versions that a schema leaves to be no newer than is needed, newest first."""
    kept = max((versions.index(one) + 1 for one in needed if one), default=0)
    return tuple(reversed(between(versions, None, at)[kept:]))
