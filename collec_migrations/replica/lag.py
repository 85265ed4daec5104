"""How far a standby is behind: by the primary's position, not by what the standby says. Pure."""

from collec_migrations.replica.findings import Lag
from collec_migrations.replica.states import Up


def of(standby: Up, primary: Up | None) -> Lag:
    """Return the lag of a standby; negative bytes tell that it left the primary's history.

    Seconds are counted only while something waits: the age of the last transaction grows without
    end on an idle primary, and is null after a restart (facts 4.3).
    """
    written = primary.position if primary else None
    return Lag(
        to_receive=less(written, standby.end),
        to_replay=less(written, standby.replayed),
        seconds=_seconds(standby, written),
        since_replay=standby.replay_age,
    )


def less(written: int | None, at: int | None) -> int | None:
    """Return the bytes from a position to what was written, None when one is not known."""
    return None if written is None or at is None else written - at


def _seconds(standby: Up, written: int | None) -> float | None:
    if written is None or standby.replayed is None:
        return None
    if standby.replayed >= written:
        return 0.0
    if standby.end != standby.replayed:
        return standby.replay_age
    # All that came is replayed, and more was written: it is as late as the last message.
    return standby.receiver.message_age if standby.receiver else None
