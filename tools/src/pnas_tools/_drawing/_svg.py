from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from pnas_tools._drawing._geometry import Curve, Point
from pnas_tools._drawing._scene import Box, Group, Item, Line, LineKind, Scene, Sum
from pnas_tools._drawing._style import BASELINE, CORNER, DRAWING_CSS, INK, PAPER, RAISED_BY

_LETTERS = {2: "l", 3: "q", 4: "c"}


def to_svg(scene: Scene) -> str:
    """The scene as a file of its own, on paper that is light or dark as the reader's pages are."""
    style = [
        DRAWING_CSS,
        f".pnas{{color:{INK['light']}}}.pnas .paper{{fill:{PAPER['light']}}}",
        f"@media(prefers-color-scheme:dark){{.pnas{{color:{INK['dark']}}}.pnas .paper{{fill:{PAPER['dark']}}}}}",
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="pnas" role="img" {_size(scene)}>',
            f"<title>{escape(scene.title)}</title>",
            f"<style>\n{chr(10).join(style)}\n</style>",
            f'<path class="paper" d="M0 0h{_number(scene.width)}v{_number(scene.height)}h-{_number(scene.width)}z"/>',
            *(_group(group) for group in scene.groups),
            "</svg>",
            "",
        ]
    )


def to_fragment(scene: Scene) -> str:
    """The scene as an element of a page that has `DRAWING_CSS`, without ids, and short: lines of a kind are one."""
    items = [item for group in scene.groups for item in group.items]
    curves: dict[LineKind, list[Curve]] = {}
    for item in items:
        if isinstance(item, Line):
            curves.setdefault(item.kind, []).extend(item.curves)
    sums = [item for item in items if isinstance(item, Sum)]
    content = [
        *(_item(Line(of_kind, kind)) for kind, of_kind in curves.items()),
        _sums(sums) if sums else "",
        *(_item(item) for item in items if not isinstance(item, Line | Sum)),
    ]
    label = quoteattr(scene.title)
    return f'<svg class="pnas" role="img" aria-label={label} {_size(scene)}>{"".join(content)}</svg>'


def _size(scene: Scene) -> str:
    width, height = _number(scene.width), _number(scene.height)
    return f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'


def _group(group: Group) -> str:
    items = "\n".join(map(_item, group.items))
    return f'<g id="{group.name}">\n<title>{escape(group.title)}</title>\n{items}\n</g>'


def _item(item: Item) -> str:
    if isinstance(item, Box):
        return _box(item)
    if isinstance(item, Sum):
        return _sums([item])
    if isinstance(item, Line):
        return f'<path class="{item.kind}" d="{_path(item.curves)}"/>'
    return f'<text class="{item.kind}" x="{_number(item.x)}" y="{_number(item.y)}">{escape(item.text)}</text>'


def _box(box: Box) -> str:
    rect = box.rect
    raised = f'<tspan dy="-{RAISED_BY}">{escape(box.raised)}</tspan>' if box.raised else ""
    x, y, width, height = map(_number, (rect.left, rect.top, rect.width, rect.height))
    return (
        f'<rect class="{box.kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{CORNER}"/>'
        f'<text x="{_number(rect.x)}" y="{_number(rect.y + BASELINE)}">{escape(box.label)}{raised}</text>'
    )


def _sums(sums: Sequence[Sum]) -> str:
    """Circles of two arcs, and the pluses in them."""
    strokes = []
    for rect in (total.rect for total in sums):
        radius, plus = _number(rect.width / 2), _number(rect.width / 2)
        strokes.append(f"M{_number(rect.left)} {_number(rect.y)}a{radius} {radius} 0 1 1 0 .01z")
        strokes.append(
            f"m{_number(rect.width / 4)} 0h{plus}m-{_number(rect.width / 4)}-{_number(rect.width / 4)}v{plus}"
        )
    return f'<path class="sum" d="{"".join(strokes)}"/>'


def _path(curves: Sequence[Curve]) -> str:
    """Absolute where the pen is lifted, and relative where it goes on."""
    strokes: list[str] = []
    pen: Point | None = None
    for curve in _joined(curves):
        if curve[0] != pen:
            strokes.append(f"M{_number(curve[0][0])} {_number(curve[0][1])}")
        strokes.append(_stroke(curve))
        pen = curve[-1]
    return "".join(strokes)


def _joined(curves: Sequence[Curve]) -> list[Curve]:
    """The curves with one straight line for two that are both upright and go on."""
    joined: list[Curve] = []
    for curve in curves:
        before = joined[-1] if joined else ()
        if len(before) == len(curve) == 2 and before[1] == curve[0] and before[0][0] == curve[1][0]:
            joined[-1] = (before[0], curve[1])
        else:
            joined.append(curve)
    return joined


def _stroke(curve: Curve) -> str:
    x, y = curve[0]
    numbers = [_number(value) for point in curve[1:] for value in (point[0] - x, point[1] - y)]
    if len(curve) == 2 and numbers[0] == "0":
        return f"v{numbers[1]}"
    return _LETTERS[len(curve)] + " ".join(numbers).replace(" -", "-")


def _number(value: float) -> str:
    return f"{value:.10g}"
