"""What drawings are made of, whatever they are written as."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pnas_tools._drawing._geometry import Curve, Rect

LineKind = Literal["previous", "before", "inner"]
"""Where a line comes from: the previous cell, the cell before it, or anything else."""

Kind = Literal[
    "separable", "convolution", "dilated", "pool", "identity", "previous", "before", "cell", "strided", "plain"
]
"""What a box is: a family of operations, one of a cell's inputs, a cell of stride 1 or 2, or anything else."""


@dataclass(frozen=True)
class Box:
    """A rectangle with round corners and a label in the middle, of which a part may be raised."""

    rect: Rect
    kind: Kind
    label: str
    raised: str = ""


@dataclass(frozen=True)
class Sum:
    """A plus in a circle."""

    rect: Rect


@dataclass(frozen=True)
class Line:
    """Curves of one kind."""

    curves: Sequence[Curve]
    kind: LineKind = "inner"


@dataclass(frozen=True)
class Text:
    """Words whose letters stand on y: a `note` begins at x, a `heading` has its middle there."""

    x: float
    y: float
    text: str
    kind: Literal["note", "heading"] = "note"


Item = Box | Sum | Line | Text


@dataclass(frozen=True, kw_only=True)
class Group:
    """What belongs together.

    Attributes:
        name: of letters, digits and hyphens, and of this group alone.
        title: what it is, in words.
        items: the later ones are on top.
    """

    name: str
    title: str
    items: Sequence[Item]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A drawing.

    Attributes:
        width: in pixels.
        height: in pixels.
        axis: pixels from the left to what stands in the middle.
        title: what it is.
        groups: the later ones are on top.
    """

    width: float
    height: float
    axis: float
    title: str
    groups: Sequence[Group]
