import re
import xml.etree.ElementTree as ET

import pytest

from pnas_searchspace import Cell
from pnas_tools._drawing import draw_cell

SVG = "{http://www.w3.org/2000/svg}"
PNASNET_5 = Cell(
    [
        [-2, "sep_conv_5x5", -2, "max_pool_3x3"],
        [-1, "sep_conv_7x7", -1, "max_pool_3x3"],
        [-1, "sep_conv_5x5", -1, "sep_conv_3x3"],
        [2, "sep_conv_3x3", -1, "max_pool_3x3"],
        [-2, "sep_conv_3x3", -1, "identity"],
    ]
)
CHAIN = Cell([[-1, "identity", -2, "my.own-op"], *([i, "identity", i, "max_pool_3x3"] for i in range(7))])


def boxes(image: ET.Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every box but the background."""
    found = []
    for box in list(image.iter(f"{SVG}rect"))[1:]:
        x, y, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


ONE_BLOCK = Cell([[-2, "identity", -2, "identity"]])


@pytest.mark.parametrize("cell", [PNASNET_5, CHAIN, ONE_BLOCK], ids=["pnasnet", "chain", "one block"])
def test_every_part_of_the_cell_is_drawn_inside_the_picture_and_nothing_overlaps(cell: Cell) -> None:
    image = ET.fromstring(draw_cell(cell))
    width, height = float(image.attrib["width"]), float(image.attrib["height"])
    drawn = boxes(image)
    n_inputs = len({i for block in cell for i in (block.input_1, block.input_2) if i < 0})
    assert len(drawn) == 2 * len(cell) + n_inputs + 1
    assert len(list(image.iter(f"{SVG}circle"))) == len(cell)
    for left, top, right, bottom in drawn:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    for index, (left, top, right, bottom) in enumerate(drawn):
        for other in drawn[:index]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_no_line_crosses_the_box_of_an_operation() -> None:
    """A line changes columns only between rows: past its turn it goes straight up in the column of what it leads to."""
    image = ET.fromstring(draw_cell(PNASNET_5))
    for path in image.iter(f"{SVG}path"):
        straight = re.fullmatch(r".* ([\d.]+) ([\d.]+) L ([\d.]+) ([\d.]+)", path.attrib["d"])
        if straight is None:
            continue
        x, low, end_x, high = map(float, straight.groups())
        assert x == end_x
        for left, top, right, bottom in boxes(image):
            assert not (left < x < right and top < low and high < bottom - 0.5)


def test_an_operation_without_a_short_label_is_named_in_full_and_escaped() -> None:
    assert "my.own-op" in draw_cell(CHAIN)
    assert draw_cell(PNASNET_5) == draw_cell(PNASNET_5)
