from collections.abc import Iterable
from dataclasses import dataclass

Point = tuple[float, float]
"""Pixels from the left, and pixels from the top."""

Curve = tuple[Point, ...]
"""The control points of a Bézier curve: two of a straight line, three of a quadratic one, four of a cubic one."""


@dataclass(frozen=True, kw_only=True)
class Rect:
    """An upright rectangle."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> "Rect":
        """The rectangle with a given middle."""
        return cls(left=x - width / 2, top=y - height / 2, width=width, height=height)

    @property
    def x(self) -> float:
        return self.left + self.width / 2

    @property
    def y(self) -> float:
        return self.top + self.height / 2

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def moved(self, x: float, y: float) -> "Rect":
        return Rect(left=self.left + x, top=self.top + y, width=self.width, height=self.height)


def line(start: Point, end: Point) -> Curve:
    """A straight line, or one that begins and ends upright."""
    if start[0] == end[0]:
        return (start, end)
    middle = (start[1] + end[1]) / 2
    return (start, (start[0], middle), (end[0], middle), end)


def elbow(start: Point, end: Point) -> Curve:
    """A quarter of a turn: it begins upright and ends level."""
    return (start, (start[0], end[1]), end)


def moved(curves: Iterable[Curve], x: float, y: float) -> tuple[Curve, ...]:
    return tuple(tuple((point[0] + x, point[1] + y) for point in curve) for curve in curves)
