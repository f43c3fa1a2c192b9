import math
from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch
from matplotlib.path import Path

from pnas_tools._drawing._scene import Box, Item, Line, Scene, Sum
from pnas_tools._drawing._style import (
    BASELINE,
    BORDER_OPACITY,
    BORDER_WIDTH,
    BOXES,
    CORNER,
    FILL_OPACITY,
    HEADING_WEIGHT,
    INK,
    LABEL_SIZE,
    LINE_WIDTH,
    LINES,
    NOTE_OPACITY,
    NOTE_SIZE,
    PAPER,
    SUM_WIDTH,
)

SCALE = 2
"""Pixels of the image for one of the scene, as sharp screens have them."""

_DOTS_PER_INCH = 72 * SCALE  # so that matplotlib's points are the scene's pixels
_CODES = {2: Path.LINETO, 3: Path.CURVE3, 4: Path.CURVE4}
_NARROWER = 0.92  # than in SVG: DejaVu, which matplotlib brings along, is a wide font


def to_png(scene: Scene) -> bytes:
    """The scene as an image on light paper."""
    width, height = (math.ceil(SCALE * side) for side in (scene.width, scene.height))
    # matplotlib rounds down what it multiplies again.
    figure = Figure(figsize=((width + 0.01) / _DOTS_PER_INCH, (height + 0.01) / _DOTS_PER_INCH))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width / SCALE), ylim=(height / SCALE, 0))
    axes.set_axis_off()
    canvas = _Canvas(axes)
    for group in scene.groups:
        for item in group.items:
            canvas.draw(item)
    file = BytesIO()
    figure.savefig(file, format="png", dpi=_DOTS_PER_INCH, facecolor=PAPER["light"], metadata={"Title": scene.title})
    return file.getvalue()


class _Canvas:
    def __init__(self, axes: Axes) -> None:
        self._axes = axes

    def draw(self, item: Item) -> None:
        if isinstance(item, Box):
            self._box(item)
        elif isinstance(item, Sum):
            self._sum(item)
        elif isinstance(item, Line):
            self._line(item)
        elif item.kind == "heading":
            self._text(item.x, item.y, item.text, ha="center", size=LABEL_SIZE, weight=HEADING_WEIGHT)
        else:
            self._text(item.x, item.y, item.text, ha="left", size=NOTE_SIZE, alpha=NOTE_OPACITY)

    def _box(self, box: Box) -> None:
        rect, color = box.rect, BOXES[box.kind]
        self._axes.add_patch(
            FancyBboxPatch(
                (rect.left, rect.top),
                rect.width,
                rect.height,
                boxstyle=f"round,pad=0,rounding_size={CORNER}",
                facecolor=(color, FILL_OPACITY),
                edgecolor=(color, BORDER_OPACITY),
                linewidth=BORDER_WIDTH,
            )
        )
        label = f"{box.label}$^{{{_as_math(box.raised)}}}$" if box.raised else box.label
        self._text(rect.x, rect.y + BASELINE, label, ha="center", size=LABEL_SIZE)

    def _sum(self, total: Sum) -> None:
        rect = total.rect
        plus = rect.width / 4
        self._axes.add_patch(
            Circle((rect.x, rect.y), rect.width / 2, fill=False, edgecolor=INK["light"], linewidth=SUM_WIDTH)
        )
        for x, y in ((plus, 0), (0, plus)):
            self._axes.plot([rect.x - x, rect.x + x], [rect.y - y, rect.y + y], color=INK["light"], linewidth=SUM_WIDTH)

    def _line(self, line: Line) -> None:
        for curve in line.curves:
            codes = [Path.MOVETO, *[_CODES[len(curve)]] * (len(curve) - 1)]
            self._axes.add_patch(
                PathPatch(Path(curve, codes), fill=False, edgecolor=LINES[line.kind], linewidth=LINE_WIDTH)
            )

    def _text(self, x: float, y: float, text: str, *, size: float, **style: Any) -> None:
        self._axes.text(x, y, text, size=_NARROWER * size, color=INK["light"], va="baseline", **style)


def _as_math(text: str) -> str:
    """The text for matplotlib's formulas, with a minus that keeps no distance."""
    return rf"\mathrm{{{text.replace('−', '{-}')}}}"
