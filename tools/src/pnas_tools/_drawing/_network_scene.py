from collections.abc import Sequence
from dataclasses import dataclass

from pnas_tools._drawing._geometry import Rect, line
from pnas_tools._drawing._scene import Box, Group, Item, Kind, Line, Scene, Text

_BOX_WIDTH, _BOX_HEIGHT, _ROW = 128, 26, 46
_LEFT, _RIGHT, _MARGIN = 42, 12, 12
_LETTER = 5.4  # of a note


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Layers of a network that are alike, one after another.

    Attributes:
        label: what they are.
        kind: what they are drawn like.
        n_repeats: how many they are.
        note: the map that they give, in words.
    """

    label: str
    kind: Kind = "plain"
    n_repeats: int = 1
    note: str = ""


def network_scene(stages: Sequence[Stage], title: str) -> Scene:
    """The drawing of a network from its image at the bottom to its classes at the top."""
    height = len(stages) * _ROW - (_ROW - _BOX_HEIGHT) + 2 * _MARGIN
    boxes = [
        Rect(left=_LEFT, top=height - _MARGIN - _BOX_HEIGHT - index * _ROW, width=_BOX_WIDTH, height=_BOX_HEIGHT)
        for index in range(len(stages))
    ]
    widest = max(len(stage.note) for stage in stages) * _LETTER
    groups = [_group(index, stage, boxes) for index, stage in enumerate(stages)]
    width = _LEFT + _BOX_WIDTH + 10 + round(widest) + _RIGHT
    return Scene(width=width, height=height, axis=boxes[0].x, title=title, groups=groups)


def _group(index: int, stage: Stage, boxes: Sequence[Rect]) -> Group:
    box = boxes[index]
    items: list[Item] = [Box(box, stage.kind, stage.label)]
    if index + 1 < len(boxes):
        items.append(Line([line((box.x, box.top), (box.x, boxes[index + 1].bottom))]))
    if stage.n_repeats > 1:
        items.append(Text(box.left - 20, box.y + 4, f"× {stage.n_repeats}", "heading"))
    if stage.note:
        items.append(Text(box.right + 10, box.y + 4, stage.note))
    times = f", {stage.n_repeats} times" if stage.n_repeats > 1 else ""
    return Group(name=f"layer-{index}", title=f"{stage.label}{times}", items=items)
