from collections.abc import Sequence
from typing import Literal

from pnas_searchspace import Block
from pnas_tools._drawing._cell_layout import CONCAT, OUTPUT, CellLayout, Key, lay_out_cell
from pnas_tools._drawing._operations import family_of, label_of
from pnas_tools._drawing._scene import Box, Group, Item, Line, Scene, Sum, Text

_INPUT_KINDS: dict[Key, Literal["previous", "before"]] = {-1: "previous", -2: "before"}


def cell_scene(blocks: Sequence[Block], concat: Sequence[int], title: str) -> Scene:
    """The drawing of a cell whose output is made of the blocks, or inputs, in `concat`."""
    layout = lay_out_cell(blocks, concat)
    sources = sorted(key for key in layout.nodes if isinstance(key, int))
    groups = [_input(layout, source) if source < 0 else _block(layout, source, blocks[source]) for source in sources]
    return Scene(
        width=layout.width,
        height=layout.height,
        axis=layout.nodes[OUTPUT].x,
        title=title,
        groups=[*groups, _output(layout, concat)],
    )


def _input(layout: CellLayout, source: int) -> Group:
    box = Box(layout.nodes[source], _INPUT_KINDS.get(source, "plain"), "H", f"c−{-source}")
    return Group(name=f"input{source}", title=_name_of(source), items=[_line(layout, source), box])


def _block(layout: CellLayout, index: int, block: Block) -> Group:
    operations = (block.operation_1, block.operation_2)
    total = layout.nodes[index]
    items: list[Item] = [_line(layout, index, (index, 0), (index, 1)), Sum(total)]
    items += [
        Box(layout.nodes[index, operand], family_of(operation), label_of(operation))
        for operand, operation in enumerate(operations)
    ]
    items.append(Text(total.right + 1, total.top - 1, str(index)))
    sources = (block.input_1, block.input_2)
    parts = (f"{operation} of {_name_of(source)}" for operation, source in zip(operations, sources, strict=True))
    return Group(name=f"block-{index}", title=f"block {index}: {' plus '.join(parts)}", items=items)


def _output(layout: CellLayout, concat: Sequence[int]) -> Group:
    items: list[Item] = [
        _line(layout, CONCAT),
        Box(layout.nodes[CONCAT], "plain", "concat"),
        Box(layout.nodes[OUTPUT], "plain", "H", "c"),
    ]
    title = f"the output: {', '.join(map(_name_of, concat))}, concatenated"
    return Group(name="output", title=title, items=items)


def _line(layout: CellLayout, *sources: Key) -> Line:
    """All that leaves the sources; where lines run together, there is one."""
    curves = dict.fromkeys(curve for edge in layout.edges if edge.source in sources for curve in edge.curves)
    return Line(tuple(curves), _INPUT_KINDS.get(sources[0], "inner"))


def _name_of(source: int) -> str:
    if source >= 0:
        return f"block {source}"
    return {-1: "the previous cell", -2: "the cell before the previous one"}.get(source, f"the cell {-source} back")
