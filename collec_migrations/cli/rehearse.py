"""`collec-migrations rehearse`: try an upgrade on a copy."""


def rehearse() -> None:
    """Try an upgrade on a copy, and tell how it went."""
