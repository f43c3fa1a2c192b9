"""A cell as a picture, after figure 1 of the paper: inputs at the bottom, every block a sum above its two
operations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pnas_searchspace import Block, Cell

_COLUMN = 104  # every operation has a column of its own, so that lines between rows never cross a box
_BOX_WIDTH, _BOX_HEIGHT = 92, 30
_ROW = 150
_GAP = 46  # above every row; lines change columns only there
_MARGIN = 24
_SUM_RADIUS = 11
_SUM_ABOVE_ROW = 22
_LABELS = {
    "sep_conv_3x3": "sep 3x3",
    "sep_conv_5x5": "sep 5x5",
    "sep_conv_7x7": "sep 7x7",
    "conv_1x7_7x1": "1x7 7x1",
    "identity": "identity",
    "avg_pool_3x3": "avg 3x3",
    "max_pool_3x3": "max 3x3",
    "dil_conv_3x3": "dil 3x3",
}
_INPUT_NAMES = {-1: "previous cell", -2: "cell before it"}
_INPUT_COLORS = {-1: "#2f6db5", -2: "#b5562f"}
_BLOCK_COLORS = ("#3f8f5f", "#7a57a8", "#a88a2f", "#2f8f98", "#a8476f", "#5f7a2f", "#50597a", "#8a5a3c")


def draw_cell(cell: Cell) -> str:
    """The cell as an SVG image."""
    return _Drawing(cell).svg()


@dataclass(frozen=True)
class _Point:
    x: float
    y: float


class _Drawing:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        depths = _depths(cell)
        self._width = 2 * len(cell) * _COLUMN + 2 * _MARGIN
        self._output = _Point(self._width / 2, _MARGIN + _BOX_HEIGHT / 2)
        highest_sum = self._output.y + _BOX_HEIGHT / 2 + 2 * _GAP + _SUM_RADIUS
        bottom = highest_sum + (max(depths) + 1) * _ROW - _SUM_ABOVE_ROW
        self._height = bottom + _BOX_HEIGHT / 2 + _MARGIN
        self._inputs = {
            index: _Point(self._width * share, bottom)
            for index, share in ((-2, 0.32), (-1, 0.68))
            if index in _read(cell)
        }
        self._sums = [
            _Point(_MARGIN + (2 * block + 1) * _COLUMN, bottom - (depth + 1) * _ROW + _SUM_ABOVE_ROW)
            for block, depth in enumerate(depths)
        ]

    def svg(self) -> str:
        lines: list[str] = []
        boxes: list[str] = []
        for index, point in self._inputs.items():
            boxes.append(_box(point, 130, _INPUT_NAMES[index], _INPUT_COLORS[index], filled=True))
        for index, block in enumerate(self._cell):
            self._add_block(index, block, lines, boxes)
        boxes.append(_box(self._output, 150, "concatenation", "#3c3c3c", filled=True))
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width} {self._height}" '
                f'width="{self._width}" height="{self._height}" '
                'font-family="Helvetica, Arial, sans-serif" font-size="14">',
                f"<title>{escape(str(self._cell))}</title>",
                '<rect width="100%" height="100%" rx="10" fill="#ffffff"/>',
                *lines,
                *boxes,
                "</svg>",
                "",
            ]
        )

    def _add_block(self, index: int, block: Block, lines: list[str], boxes: list[str]) -> None:
        total = self._sums[index]
        color = _BLOCK_COLORS[index % len(_BLOCK_COLORS)]
        operands = ((block.input_1, block.operation_1, -1), (block.input_2, block.operation_2, 1))
        for source, operation, side in operands:
            box = _Point(total.x + side * _COLUMN / 2, total.y + 62)
            start, source_color = self._source(source)
            lines.append(_line(start, _Point(box.x, box.y + _BOX_HEIGHT / 2), source_color))
            lines.append(_line(_Point(box.x, box.y - _BOX_HEIGHT / 2), _Point(total.x, total.y + _SUM_RADIUS), color))
            boxes.append(_box(box, _BOX_WIDTH, _LABELS.get(operation, operation), color))
        top = _Point(self._output.x + (total.x - self._output.x) * 0.12, self._output.y + _BOX_HEIGHT / 2)
        lines.append(
            f'<path d="M {total.x} {total.y - _SUM_RADIUS} V {top.y + 2 * _GAP} '
            f'C {total.x} {top.y + _GAP}, {top.x} {top.y + _GAP}, {top.x} {top.y}" '
            f'fill="none" stroke="{color}" stroke-width="1.6" stroke-dasharray="5 4"/>'
        )
        boxes.append(
            f'<circle cx="{total.x}" cy="{total.y}" r="{_SUM_RADIUS}" fill="{color}"/>'
            f'<path d="M {total.x - 5} {total.y} h 10 m -5 -5 v 10" stroke="#ffffff" stroke-width="2"/>'
            f'<text x="{total.x + 17}" y="{total.y + 5}" fill="{color}">{index}</text>'
        )

    def _source(self, source: int) -> tuple[_Point, str]:
        if source < 0:
            point = self._inputs[source]
            return _Point(point.x, point.y - _BOX_HEIGHT / 2), _INPUT_COLORS[source]
        return self._sums[source], _BLOCK_COLORS[source % len(_BLOCK_COLORS)]


def _depths(cell: Cell) -> list[int]:
    """How many blocks lie on the longest way from an input of the cell to each block."""
    depths: list[int] = []
    for block in cell:
        depths.append(1 + max(depths[i] if i >= 0 else -1 for i in (block.input_1, block.input_2)))
    return depths


def _read(cell: Sequence[Block]) -> set[int]:
    return {index for block in cell for index in (block.input_1, block.input_2)}


def _line(start: _Point, end: _Point, color: str) -> str:
    """Up from `start`, across in the gap above its row, and on to `end`."""
    turn = max(start.y - _GAP, end.y)
    return (
        f'<path d="M {start.x} {start.y} C {start.x} {turn}, {end.x} {start.y}, {end.x} {turn} L {end.x} {end.y}" '
        f'fill="none" stroke="{color}" stroke-width="1.6"/>'
    )


def _box(center: _Point, width: float, label: str, color: str, *, filled: bool = False) -> str:
    return (
        f'<rect x="{center.x - width / 2}" y="{center.y - _BOX_HEIGHT / 2}" width="{width}" height="{_BOX_HEIGHT}" '
        f'rx="6" fill="{color if filled else "#ffffff"}" stroke="{color}" stroke-width="1.6"/>'
        f'<text x="{center.x}" y="{center.y + 5}" text-anchor="middle" fill="{"#ffffff" if filled else "#222222"}">'
        f"{escape(label)}</text>"
    )
