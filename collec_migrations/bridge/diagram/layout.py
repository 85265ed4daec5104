"""Where the tables of a picture stand, by grandalf: in layers, what is pointed at on the left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from collec_migrations.bridge.diagram.tables import Schema, Table
from collec_migrations.errors import MigrationError

ROW, TITLE = 15, 22
LETTER = 6.3
"""Points that a letter of the picture's font takes, at most on average."""
BETWEEN_LAYERS, BETWEEN_TABLES, MARGIN = 70, 18, 20
WIDEST = 1500
"""Points; parts of the picture that fit beside each other within this are put there."""


class DrawingMissing(MigrationError):
    """The library that draws is not installed."""

    exit_status = 2


PASSES = 12
"""How often the order within layers is improved; more changes nothing that can be seen."""

Point = tuple[float, float]


@dataclass(kw_only=True)
class Box:
    """A table and its place; grandalf reads its size and writes its centre, turned by 90°."""

    table: Table
    width: float
    height: float
    xy: Point = (0.0, 0.0)

    @property
    def w(self) -> float:
        """Return the extent along a layer."""
        return self.height

    @property
    def h(self) -> float:
        """Return the extent across the layers."""
        return self.width

    def moved(self, by: Point) -> None:
        """Move the box."""
        self.xy = (self.xy[0] + by[0], self.xy[1] + by[1])


@dataclass(kw_only=True)
class Route:
    """The way of a link through the layers between its two tables."""

    parent: tuple[str, str]
    child: tuple[str, str]
    column: str
    points: list[Point] = field(default_factory=list)
    """Between the tables, none when their layers are neighbours."""

    def setpath(self, points: Sequence[Point]) -> None:
        """Take the points from grandalf, which include the two centres."""
        self.points = [(y, x) for x, y in points[1:-1]]

    def moved(self, by: Point) -> None:
        """Move all points."""
        self.points = [(x + by[0], y + by[1]) for x, y in self.points]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All boxes with their centres, all routes, and the size of the whole."""

    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def arrange(schema: Schema) -> Picture:
    """Return where everything stands; raise `DrawingMissing` without grandalf."""
    try:
        from grandalf import graphs, layouts
    except ImportError as error:
        raise DrawingMissing(
            "grandalf is not installed, which arranges the tables of a picture",
            hint="Install it with: pip install 'collec-migrations[diagram]'. "
            "Without --svg the text for Mermaid needs nothing.",
        ) from error
    parts = _graph(graphs, schema).C
    for part in parts:
        layout = layouts.SugiyamaLayout(part)
        layout.xspace, layout.yspace = BETWEEN_TABLES, BETWEEN_LAYERS
        layout.init_all(roots=[vertex for vertex in part.sV if not vertex.e_in()])
        layout.draw(PASSES)
    return _packed([_part(part) for part in parts])


def _graph(graphs: Any, schema: Schema) -> Any:
    """Return the graph of tables and links, for grandalf."""
    vertices = {table.key: graphs.Vertex(table.key) for table in schema.tables}
    for table in schema.tables:
        vertices[table.key].view = _box(table)
    edges = []
    for route in _routes(schema):
        edges.append(graphs.Edge(vertices[route.parent], vertices[route.child]))
        edges[-1].view = route

    class Graph(graphs.Graph):  # type: ignore[misc]  # grandalf has no types
        """Gives the edges of a part in an order that is the same in every run."""

        @staticmethod
        def component_class(vertices: Any, found: Any, directed: Any) -> Any:
            return graphs.graph_core(vertices, sorted(found, key=edges.index), directed)

    return Graph(list(vertices.values()), edges)


def _box(table: Table) -> Box:
    letters = [len(one.name) + len(one.type) + 6 for one in table.columns]
    width = max([len(table.shown) + 3, *letters]) * LETTER + 16
    return Box(table=table, width=width, height=TITLE + ROW * len(table.columns) + 5)


def _routes(schema: Schema) -> Iterator[Route]:
    """Yield one route for each pair of tables: grandalf keeps one edge between two vertices."""
    seen = set()
    for link in schema.links:
        pair = (link.parent, link.child)
        if link.parent != link.child and pair not in seen:
            seen.add(pair)
            yield Route(parent=link.parent, child=link.child, column=link.column)


def _part(part: Any) -> tuple[list[Box], list[Route]]:
    """Return what stands together, turned so that layers are columns, at the origin."""
    boxes: list[Box] = [vertex.view for vertex in part.sV]
    routes: list[Route] = [edge.view for edge in part.sE]
    for box in boxes:
        box.xy = (box.xy[1], box.xy[0])
    left, top, _, _ = _extent(boxes, routes)
    _move(boxes, routes, (-left, -top))
    return boxes, routes


def _move(boxes: Sequence[Box], routes: Sequence[Route], by: Point) -> None:
    for box in boxes:
        box.moved(by)
    for route in routes:
        route.moved(by)


def _extent(boxes: Sequence[Box], routes: Sequence[Route]) -> tuple[float, float, float, float]:
    """Return the smallest and largest x and y: left, top, right, bottom."""
    points = [point for route in routes for point in route.points]
    for box in boxes:
        (x, y), width, height = box.xy, box.width / 2, box.height / 2
        points += [(x - width, y - height), (x + width, y + height)]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _packed(parts: list[tuple[list[Box], list[Route]]]) -> Picture:
    """Put the parts below or beside each other, the largest first."""
    parts.sort(key=lambda part: (-len(part[0]), part[0][0].table.key))
    x = y = MARGIN * 1.0
    lowest = widest = 0.0
    for boxes, routes in parts:
        _, _, width, height = _extent(boxes, routes)
        if x > MARGIN and x + width > WIDEST:
            x, y = MARGIN, lowest + 2 * BETWEEN_TABLES
        _move(boxes, routes, (x, y))
        lowest, widest = max(lowest, y + height), max(widest, x + width)
        x += width + BETWEEN_LAYERS
    return Picture(
        boxes=tuple(sorted((box for part in parts for box in part[0]), key=lambda b: b.table.key)),
        routes=tuple(
            sorted((r for part in parts for r in part[1]), key=lambda r: (r.parent, r.child))
        ),
        width=widest + MARGIN,
        height=lowest + MARGIN,
    )
