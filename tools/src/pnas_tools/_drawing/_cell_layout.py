"""Where everything in the drawing of a cell is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pnas_searchspace import Block
from pnas_tools._drawing._geometry import Curve, Rect, elbow, line, moved
from pnas_tools._drawing._layers import Layers, inputs_of, layers_of
from pnas_tools._drawing._operations import label_of
from pnas_tools._drawing._ordering import order_rows
from pnas_tools._drawing._placing import Extent, Link, place_rows

Key = int | tuple[int, int] | str
"""An input or the sum of a block by its number, an operation by its block and operand, `"concat"`, `"output"`."""

CONCAT, OUTPUT = "concat", "output"
SUM_RADIUS = 9
_BOX_HEIGHT, _NARROWEST_BOX, _LETTER, _AROUND_LABEL = 26, 66, 6.6, 16
_BETWEEN_OPERANDS, _BETWEEN_BLOCKS, _LANE = 8, 22, 14
_INPUT_WIDTH, _OUTPUT_WIDTH, _BETWEEN_INPUTS = 58, 44, 26
_ABOVE_SUM = 22  # from the top of a row, where its number stands, to its middle
_ROW_HEIGHT = 72
_CONCAT_HEIGHT, _NARROWEST_CONCAT, _ABOVE_CONCAT = 22, 72, 18
_ABOVE_ROW, _HIGHEST_ABOVE_ROW, _SLOPE = 26, 64, 0.16
_MARGIN = 12


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A line of a cell from what is read to what reads it."""

    source: Key
    target: Key
    curves: tuple[Curve, ...]


@dataclass(frozen=True, kw_only=True)
class CellLayout:
    """A cell from its inputs at the bottom to its output at the top, as in figure 1 of the paper."""

    width: float
    height: float
    nodes: dict[Key, Rect]
    edges: tuple[Edge, ...]


def lay_out_cell(blocks: Sequence[Block], concat: Sequence[int]) -> CellLayout:
    """The layout of a cell whose output is made of the blocks, or inputs, in `concat`."""
    layers = layers_of(blocks, concat)
    rows = order_rows(layers)
    operands = _operands(layers, rows)
    x = place_rows(rows, _extents(layers, rows, operands), _links(layers, rows, operands))
    levels = _levels(layers, rows, operands, x)
    nodes = _nodes(layers, operands, x, levels)
    edges = _edges(layers, x, levels, nodes)
    left = min([rect.left for rect in nodes.values()] + [middle - _LANE / 2 for middle in x.values()])
    right = max([rect.right for rect in nodes.values()] + [middle + _LANE / 2 for middle in x.values()])
    aside = _MARGIN - left
    return CellLayout(
        width=right - left + 2 * _MARGIN,
        height=levels[0].start + _BOX_HEIGHT + _MARGIN,
        nodes={key: rect.moved(aside, 0) for key, rect in nodes.items()},
        edges=tuple(replace(edge, curves=moved(edge.curves, aside, 0)) for edge in edges),
    )


def _operands(layers: Layers, rows: Sequence[Sequence[int]]) -> dict[int, tuple[int, int]]:
    """The operands of every block from left to right, as what they read stands in the row below."""
    order = {}
    for index, block in enumerate(layers.blocks):
        place = rows[layers.home[index] - 1].index
        first, second = inputs_of(block)
        order[index] = (1, 0) if place(second) < place(first) else (0, 1)
    return order


def _box_width(block: Block, operand: int) -> float:
    label = label_of((block.operation_1, block.operation_2)[operand])
    return max(_NARROWEST_BOX, 2 * round((_LETTER * len(label) + _AROUND_LABEL) / 2))


def _offset(block: Block, order: tuple[int, int], operand: int) -> float:
    """How far to the right of its block's sum an operand stands."""
    away = (_BETWEEN_OPERANDS + _box_width(block, operand)) / 2
    return -away if order[0] == operand else away


def _extents(
    layers: Layers, rows: Sequence[Sequence[int]], operands: dict[int, tuple[int, int]]
) -> dict[tuple[int, int], Extent]:
    def extent(row: int, source: int) -> Extent:
        if row > layers.home[source]:
            return Extent(_LANE / 2, _LANE / 2)
        if source < 0:
            return Extent((_INPUT_WIDTH + _BETWEEN_INPUTS) / 2, (_INPUT_WIDTH + _BETWEEN_INPUTS) / 2)
        block = layers.blocks[source]
        left, right = (_box_width(block, operand) + (_BETWEEN_OPERANDS + _BETWEEN_BLOCKS) / 2
                       for operand in operands[source])  # fmt: skip
        return Extent(left, right)

    return {(index, source): extent(index, source) for index, row in enumerate(rows) for source in row}


def _links(layers: Layers, rows: Sequence[Sequence[int]], operands: dict[int, tuple[int, int]]) -> list[Link]:
    links = []
    for index, row in enumerate(rows[1:], 1):
        for source in row:
            if index > layers.home[source]:
                links.append(Link(upper=(index, source), lower=(index - 1, source), offset=0, weight=4))
                continue
            block = layers.blocks[source]
            for operand, below in enumerate(inputs_of(block)):
                offset = _offset(block, operands[source], operand)
                links.append(Link(upper=(index, source), lower=(index - 1, below), offset=offset, weight=1))
    return links


@dataclass(frozen=True)
class _Level:
    """Where lines leave a row, at its top, and where they arrive, at its bottom."""

    start: float
    end: float


def _levels(
    layers: Layers,
    rows: Sequence[Sequence[int]],
    operands: dict[int, tuple[int, int]],
    x: dict[tuple[int, int], int],
) -> list[_Level]:
    """The levels of the rows, and last that of the concatenation; lines that go far to a side are given more height."""
    farthest = [0.0] * (len(rows) + 1)
    for link in _links(layers, rows, operands):
        across = abs(x[link.upper] + link.offset - x[link.lower])
        farthest[link.upper[0]] = max(farthest[link.upper[0]], across)
    y: float = _MARGIN + _BOX_HEIGHT + _ABOVE_CONCAT + _CONCAT_HEIGHT
    levels = [_Level(start=y - _CONCAT_HEIGHT, end=y)]
    for row in range(len(rows) - 1, -1, -1):
        y += min(_HIGHEST_ABOVE_ROW, max(_ABOVE_ROW, _SLOPE * farthest[row + 1]))
        y = round(y)
        levels.append(_Level(start=y, end=y + (_ROW_HEIGHT if row else _BOX_HEIGHT)))
        y = levels[-1].end
    return levels[::-1]


def _nodes(
    layers: Layers,
    operands: dict[int, tuple[int, int]],
    x: dict[tuple[int, int], int],
    levels: Sequence[_Level],
) -> dict[Key, Rect]:
    nodes: dict[Key, Rect] = {}
    for source, row in layers.home.items():
        middle, level = x[row, source], levels[row]
        if source < 0:
            nodes[source] = Rect.around(middle, level.start + _BOX_HEIGHT / 2, _INPUT_WIDTH, _BOX_HEIGHT)
            continue
        nodes[source] = Rect.around(middle, level.start + _ABOVE_SUM, 2 * SUM_RADIUS, 2 * SUM_RADIUS)
        block = layers.blocks[source]
        for operand in (0, 1):
            away = _offset(block, operands[source], operand)
            width = _box_width(block, operand)
            nodes[source, operand] = Rect.around(middle + away, level.end - _BOX_HEIGHT / 2, width, _BOX_HEIGHT)
    ends = [x[len(levels) - 2, source] for source in layers.concat]
    above, wide = (min(ends) + max(ends)) / 2, max(_NARROWEST_CONCAT, max(ends) - min(ends) + 2 * _LANE)
    nodes[CONCAT] = Rect.around(above, levels[-1].start + _CONCAT_HEIGHT / 2, wide, _CONCAT_HEIGHT)
    nodes[OUTPUT] = Rect.around(above, _MARGIN + _BOX_HEIGHT / 2, _OUTPUT_WIDTH, _BOX_HEIGHT)
    return nodes


def _edges(
    layers: Layers, x: dict[tuple[int, int], int], levels: Sequence[_Level], nodes: dict[Key, Rect]
) -> list[Edge]:
    def trunk(source: int, row: int) -> tuple[Curve, ...]:
        """From a source to where it leaves a row."""
        home = layers.home[source]
        curves = [line((nodes[source].x, nodes[source].top), (x[home, source], levels[home].start))] if home else []
        for above in range(home + 1, row + 1):
            arrives = (x[above, source], levels[above].end)
            curves.append(line((x[above - 1, source], levels[above - 1].start), arrives))
            curves.append(line(arrives, (arrives[0], levels[above].start)))
        return tuple(curves)

    edges = []
    for index, block in enumerate(layers.blocks):
        row = layers.home[index]
        for operand, source in enumerate(inputs_of(block)):
            box = nodes[index, operand]
            into = line((x[row - 1, source], levels[row - 1].start), (box.x, box.bottom))
            edges.append(Edge(source=source, target=(index, operand), curves=(*trunk(source, row - 1), into)))
            total = nodes[index]
            side = total.left if box.x < total.x else total.right
            edges.append(
                Edge(source=(index, operand), target=index, curves=(elbow((box.x, box.top), (side, total.y)),))
            )
    top = len(levels) - 2
    for source in layers.concat:
        into = line((x[top, source], levels[top].start), (x[top, source], levels[-1].end))
        edges.append(Edge(source=source, target=CONCAT, curves=(*trunk(source, top), into)))
    concat, output = nodes[CONCAT], nodes[OUTPUT]
    out = line((concat.x, concat.top), (output.x, output.bottom))
    return [*edges, Edge(source=CONCAT, target=OUTPUT, curves=(out,))]
