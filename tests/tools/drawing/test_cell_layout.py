"""What holds for the layout of any cell."""

import itertools
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace import PNAS_OPERATIONS, Cell
from pnas_tools._drawing._cell_layout import CONCAT, OUTPUT, CellLayout, Key, lay_out_cell
from pnas_tools._drawing._geometry import Curve, Point, Rect

PNASNET_5 = Cell(
    [
        [-2, "sep_conv_5x5", -2, "max_pool_3x3"],
        [-1, "sep_conv_7x7", -1, "max_pool_3x3"],
        [-1, "sep_conv_5x5", -1, "sep_conv_3x3"],
        [2, "sep_conv_3x3", -1, "max_pool_3x3"],
        [-2, "sep_conv_3x3", -1, "identity"],
    ]
)


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    operations = st.sampled_from([*PNAS_OPERATIONS, "an.operation-of-ones-own"])
    inputs = [st.integers(-2, index - 1) for index in range(draw(st.integers(1, 8)))]
    return Cell([[draw(i), draw(operations), draw(i), draw(operations)] for i in inputs])


def layout_of(cell: Cell) -> CellLayout:
    return lay_out_cell(cell, range(len(cell)))


def overlap(one: Rect, other: Rect) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def point_on(curve: Curve, share: float) -> Point:
    while len(curve) > 1:
        curve = tuple(
            (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])) for a, b in itertools.pairwise(curve)
        )
    return curve[0]


def is_inside(point: Point, rect: Rect, margin: float) -> bool:
    return rect.left - margin < point[0] < rect.right + margin and rect.top - margin < point[1] < rect.bottom + margin


laws = settings(max_examples=150, deadline=None)


@laws
@given(cell=cells())
def test_everything_is_inside_and_nothing_overlaps(cell: Cell) -> None:
    layout = layout_of(cell)
    rects = list(layout.nodes.values())
    for index, rect in enumerate(rects):
        assert 0 <= rect.left < rect.right <= layout.width
        assert 0 <= rect.top < rect.bottom <= layout.height
        assert not any(overlap(rect, other) for other in rects[:index])


@laws
@given(cell=cells())
def test_every_edge_of_the_cell_is_there_once(cell: Cell) -> None:
    expected: Counter[tuple[Key, Key]] = Counter({(CONCAT, OUTPUT): 1})
    for index, block in enumerate(cell):
        expected.update([(block.input_1, (index, 0)), (block.input_2, (index, 1))])
        expected.update([((index, 0), index), ((index, 1), index), (index, CONCAT)])
    assert Counter((edge.source, edge.target) for edge in layout_of(cell).edges) == expected


@laws
@given(cell=cells())
def test_an_edge_goes_from_its_source_to_its_target_and_crosses_no_other_box(cell: Cell) -> None:
    layout = layout_of(cell)
    for edge in layout.edges:
        ends = (layout.nodes[edge.source], layout.nodes[edge.target])
        assert is_inside(edge.curves[0][0], ends[0], 0.1)
        assert is_inside(edge.curves[-1][-1], ends[1], 0.1)
        for one, following in zip(edge.curves, edge.curves[1:], strict=False):
            assert one[-1] == following[0]
        others = [rect for key, rect in layout.nodes.items() if key not in (edge.source, edge.target)]
        for curve in edge.curves:
            for step in range(17):
                point = point_on(curve, step / 16)
                assert 0 <= point[0] <= layout.width
                assert not any(is_inside(point, rect, 2) for rect in others), edge


@laws
@given(cell=cells())
def test_lines_of_different_sources_never_run_along_each_other(cell: Cell) -> None:
    """They may cross, but an upright line is of one source alone."""
    upright: dict[float, list[tuple[float, float, Key]]] = {}
    for edge in layout_of(cell).edges:
        for curve in edge.curves:
            if len(curve) == 2:
                upright.setdefault(curve[0][0], []).append((curve[1][1], curve[0][1], edge.source))
    for lines in upright.values():
        for top, bottom, source in lines:
            assert all(source == s or bottom <= t or b <= top for t, b, s in lines)


def test_the_layout_is_a_function_of_the_cell() -> None:
    assert layout_of(PNASNET_5) == layout_of(Cell([list(block) for block in PNASNET_5]))


def test_a_block_stands_above_what_it_reads() -> None:
    layout = layout_of(PNASNET_5)
    heights = {key: rect.y for key, rect in layout.nodes.items()}
    assert heights[OUTPUT] < heights[CONCAT] < heights[3] < heights[2] < heights[-1] == heights[-2]
    assert heights[0] == heights[1] == heights[2] == heights[4]


def test_blocks_and_operands_change_places_where_lines_would_cross() -> None:
    nodes = layout_of(Cell([[-1, "identity", -2, "max_pool_3x3"], [-2, "identity", -2, "identity"]])).nodes
    assert nodes[1].x < nodes[0].x
    assert nodes[0, 1].x < nodes[0, 0].x


def test_only_what_is_concatenated_leads_to_the_output() -> None:
    edges = lay_out_cell(PNASNET_5, (-2, 3)).edges
    assert [edge.source for edge in edges if edge.target == CONCAT] == [-2, 3]


def test_an_input_that_nothing_reads_is_left_out() -> None:
    assert -1 not in layout_of(Cell([[-2, "identity", -2, "identity"]])).nodes
