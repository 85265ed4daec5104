"""Time against size as one picture, by matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measurement, Results
from benchmarks.report import is_ours

PANELS = {
    "upgrade": "1.0.8 to 1.1",
    "views": "queries of last_movement",
    "backup": "backup, proof and clone",
}


def draw(results: Results, path: Path) -> None:
    """Write the picture; groups without sizes are left out."""
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "collec", "font.size": 9})
    there = {group: [one for one in results.measurements if one.group == group and one.movements]
             for group in PANELS}  # fmt: skip
    panels = [group for group, found in there.items() if found]
    if not panels:
        return
    size = (5.2 * len(panels), 5.6)
    figure, axes = pyplot.subplots(1, len(panels), figsize=size, squeeze=False)
    for axis, group in zip(axes[0], panels, strict=True):
        _panel(axis, there[group], PANELS[group])
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _panel(axis: Any, found: Sequence[Measurement], title: str) -> None:
    things = len({one.what for one in found})
    lines: dict[str, list[Measurement]] = {}
    for one in found:
        lines.setdefault(f"{one.what}: {one.way}" if things > 1 else one.way, []).append(one)
    for label, line in lines.items():
        line.sort(key=lambda one: one.movements or 0)
        axis.plot(
            [one.movements for one in line],
            [one.seconds for one in line],
            label=label,
            marker="o",
            markersize=3,
            linestyle="-" if is_ours(line[0]) else "--",
        )
    axis.set(xscale="log", yscale="log", title=title, xlabel="movements", ylabel="seconds")
    axis.grid(visible=True, which="major", alpha=0.3)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), fontsize=7, frameon=False)
