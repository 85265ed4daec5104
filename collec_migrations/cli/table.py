"""Rows as aligned lines, for people."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

WIDEST = 60
"""Characters of a cell; longer texts are cut."""


def lines(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return titles and rows, each one on a line, in columns as wide as their texts."""
    cells = [[_shown(text) for text in row] for row in (titles, *rows)]
    widths = [max(cell_len(row[at]) for row in cells) for at in range(len(titles))]
    return tuple(
        "  ".join(set_cell_size(text, width) for text, width in zip(row, widths, strict=True))
        .rstrip()
        for row in cells
    )  # fmt: skip


def _shown(text: str) -> str:
    """Return a text on one line, without what would move the cursor of a terminal."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if cell_len(plain) <= WIDEST else set_cell_size(plain, WIDEST - 1) + "…"
