"""Take back what was begun, when the rest of it fails."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from collec_migrations.errors import MigrationError, ReplicationFailed
from collec_migrations.postgres import signals


@contextmanager
def undone_on_failure() -> Iterator[ExitStack]:
    """Give a stack of what takes things back, which is done when the block fails.

    What cannot be taken back is told with the failure, and does not keep the rest from it.
    """
    undo = ExitStack()
    try:
        yield undo
    except BaseException as error:
        with signals.ignored():
            left = _taken_back(undo)
        if left and isinstance(error, MigrationError):
            hint = "\n      ".join(one for one in (error.hint, left.hint) if one)
            raise type(error)(f"{error}; {left}", hint=hint) from error
        raise
    undo.pop_all()


def _taken_back(undo: ExitStack) -> MigrationError | None:
    try:
        undo.close()
    except MigrationError as error:
        return error
    except OSError as error:
        return ReplicationFailed(f"{(error.strerror or str(error)).lower()}: {error.filename}")
    return None
