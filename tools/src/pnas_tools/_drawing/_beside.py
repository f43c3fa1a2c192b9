from collections.abc import Sequence
from dataclasses import replace

from pnas_tools._drawing._geometry import moved
from pnas_tools._drawing._scene import Box, Group, Item, Line, Scene, Sum, Text

_HEADING, _BETWEEN = 34, 20


def beside(scenes: Sequence[tuple[str, Scene]], title: str) -> Scene:
    """Scenes from left to right that stand on one line, each below its heading."""
    height = max(scene.height for _, scene in scenes) + _HEADING
    groups: list[Group] = []
    x = 0.0
    for heading, scene in scenes:
        name, y = heading.replace(" ", "-"), height - scene.height
        text = Text(x + scene.axis, y - _HEADING / 2 + 10, heading, "heading")
        groups.append(Group(name=name, title=scene.title, items=[text]))
        groups += [
            Group(name=f"{name}-{group.name}", title=group.title, items=[_moved(item, x, y) for item in group.items])
            for group in scene.groups
        ]
        x += scene.width + _BETWEEN
    width = x - _BETWEEN
    return Scene(width=width, height=height, axis=width / 2, title=title, groups=groups)


def _moved(item: Item, x: float, y: float) -> Item:
    if isinstance(item, Box | Sum):
        return replace(item, rect=item.rect.moved(x, y))
    if isinstance(item, Line):
        return replace(item, curves=moved(item.curves, x, y))
    return replace(item, x=item.x + x, y=item.y + y)
