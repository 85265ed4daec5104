"""Draw a schema or the chain as SVG: plain shapes and text, no script, no other file."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from collec_migrations.bridge.diagram import layout
from collec_migrations.bridge.diagram.chain import Stop
from collec_migrations.bridge.diagram.layout import Box, Picture, Point, Route
from collec_migrations.bridge.diagram.tables import Column

COLOURS = {"col": "#1f5f8b", "gacl": "#8b4a1f"}
LINKS = ("#4477aa", "#ee6677", "#228833", "#aa8800", "#66aacc", "#aa3377", "#777777")
"""Links to one table share a colour (Paul Tol's bright scheme, told apart by all eyes)."""
FONT = "DejaVu Sans, Verdana, sans-serif"
STOP, IN_A_ROW = (150, 44), 6
GAP = (60, 56)


def schema(picture: Picture, title: str) -> str:
    """Return the drawing of tables and links."""
    root = _root(picture.width, picture.height, title)
    boxes = {box.table.key: box for box in picture.boxes}
    parents = sorted({route.parent for route in picture.routes})
    for route in picture.routes:
        colour = LINKS[parents.index(route.parent) % len(LINKS)]
        _link(root, route, boxes, colour)
    for box in picture.boxes:
        _table(root, box)
    return _text(root)


def chain(stops: Sequence[Stop], title: str) -> str:
    """Return the drawing of the versions, in rows that are read as lines of text are."""
    width, height = STOP
    across, down = width + GAP[0], height + GAP[1]
    rows = -(-len(stops) // IN_A_ROW)
    root = _root(IN_A_ROW * across, rows * down + 30, title)
    for number, stop in enumerate(stops):
        x = GAP[0] / 2 + number % IN_A_ROW * across
        y = 20.0 + number // IN_A_ROW * down
        dash = {} if stop.in_chain else {"stroke-dasharray": "5 3"}
        fill = "#dcebf5" if stop.in_chain else "#ffffff"
        if number:
            _arrow(root, x, y + height / 2, dash, is_first=number % IN_A_ROW == 0)
        _shape(root, "rect", x=x, y=y, width=width, height=height, rx=6, fill=fill,
               stroke=COLOURS["col"], **dash)  # fmt: skip
        _write(root, x + width / 2, y + 19, stop.version, bold=True, size=14, anchor="middle")
        _write(root, x + width / 2, y + 35, f"{stop.tables} tables", anchor="middle")
        for line, change in enumerate(stop.changes):
            _write(root, x + width / 2, y + height + 14 + 13 * line, change, anchor="middle",
                   colour="#555555")  # fmt: skip
    _write(root, GAP[0] / 2, rows * down + 20,
           "solid: in the chain; dashed: known, the application's own script is wrapped",
           colour="#555555")  # fmt: skip
    return _text(root)


def _arrow(root: Element, x: float, y: float, dash: Mapping[str, str], *, is_first: bool) -> None:
    start = x - (GAP[0] / 2 - 4 if is_first else GAP[0])
    _shape(root, "path", d=f"M{start:.0f},{y:.0f} H{x - 2:.0f}", stroke="#555555", fill="none",
           **{"marker-end": "url(#arrow)"}, **dash)  # fmt: skip


def _link(root: Element, route: Route, boxes: Mapping[tuple[str, str], Box], colour: str) -> None:
    parent, child = boxes[route.parent], boxes[route.child]
    row = next(n for n, one in enumerate(child.table.columns) if one.name == route.column)
    top = child.xy[1] - child.height / 2
    target = top + layout.TITLE + layout.ROW * (row + 0.6)
    side = 1 if child.xy[0] > parent.xy[0] else -1
    points = [(parent.xy[0] + side * parent.width / 2, parent.xy[1]), *route.points]
    end = (child.xy[0] - side * child.width / 2, target)
    path = f"M{_at(points[0])}" + "".join(
        f" C{_at((_middle(a, b), a[1]))} {_at((_middle(a, b), b[1]))} {_at(b)}"
        for a, b in zip(points, [*points[1:], end], strict=True)
    )
    _shape(root, "path", d=path, fill="none", stroke=colour, **{"stroke-width": "1.3"})
    _shape(root, "circle", cx=end[0], cy=end[1], r=2.5, fill=colour)


def _table(root: Element, box: Box) -> None:
    colour = COLOURS[box.table.role]
    left, top = box.xy[0] - box.width / 2, box.xy[1] - box.height / 2
    group = SubElement(root, "g")
    _shape(group, "rect", x=left, y=top, width=box.width, height=box.height, rx=4,
           fill="#ffffff", stroke=colour)  # fmt: skip
    _shape(group, "path", fill=colour,
           d=f"M{left:.1f},{top + layout.TITLE:.1f} v-18 q0,-4 4,-4 h{box.width - 8:.1f}"
             " q4,0 4,4 v18 z")  # fmt: skip
    _write(group, left + 8, top + 15, box.table.shown, bold=True,
           colour="#ffffff")  # fmt: skip
    for number, column in enumerate(box.table.columns):
        _column(group, column, left, top + layout.TITLE + layout.ROW * (number + 0.85), box.width)


def _column(group: Element, column: Column, left: float, y: float, width: float) -> None:
    key = column.keys.replace("PK,FK", "P+F")
    _write(group, left + 5, y, key, size=8, colour="#999999")
    _write(group, left + 28, y, column.name, bold=column.is_primary, colour="#222222")
    _write(group, left + width - 6, y, column.type + ("" if column.required else "?"),
           size=10, anchor="end", colour="#888888")  # fmt: skip


def _root(width: float, height: float, title: str) -> Element:
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", width=f"{width:.0f}",
                   height=f"{height:.0f}", viewBox=f"0 0 {width:.0f} {height:.0f}")  # fmt: skip
    root.set("font-family", FONT)
    SubElement(root, "title").text = title
    marker = SubElement(SubElement(root, "defs"), "marker", id="arrow", refX="7", refY="4",
                        markerWidth="8", markerHeight="8", orient="auto")  # fmt: skip
    _shape(marker, "path", d="M0,0 L8,4 L0,8 z", fill="#555555")
    _shape(root, "rect", width=width, height=height, fill="#ffffff")
    return root


def _write(
    parent: Element,
    x: float,
    y: float,
    text: str,
    *,
    size: int = 11,
    bold: bool = False,
    anchor: str = "start",
    colour: str = "#000000",
) -> None:
    if not text:
        return
    weight = {"font-weight": "bold"} if bold else {}
    word = _shape(parent, "text", x=x, y=y, fill=colour, **weight,
                  **{"font-size": str(size), "text-anchor": anchor})  # fmt: skip
    word.text = text


def _shape(parent: Element, tag: str, **told: str | float) -> Element:
    texts = {name: one if isinstance(one, str) else f"{one:g}" for name, one in told.items()}
    return SubElement(parent, tag, texts)


def _middle(one: Point, other: Point) -> float:
    return (one[0] + other[0]) / 2


def _at(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _text(root: Element) -> str:
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"
