import re
import xml.etree.ElementTree as ET

import pytest

from pnas_searchspace import Cell
from pnas_tools._drawing import DRAWING_CSS, Stage, beside, cell_fragment, cell_scene, draw_cell, network_scene, to_svg

SVG = "{http://www.w3.org/2000/svg}"
CELL = Cell([[-2, "sep_conv_5x5", -1, "my.own-op"], [0, "dil_conv_3x3", -1, "identity"]])


def test_a_drawing_is_xml_that_names_its_parts() -> None:
    image = ET.fromstring(draw_cell(CELL))
    assert image.tag == f"{SVG}svg"
    assert image.findtext(f"{SVG}title") == str(CELL)
    titles = {group.attrib["id"]: group.findtext(f"{SVG}title") for group in image.iter(f"{SVG}g")}
    assert titles == {
        "input-2": "the cell before the previous one",
        "input-1": "the previous cell",
        "block-0": "block 0: sep_conv_5x5 of the cell before the previous one plus my.own-op of the previous cell",
        "block-1": "block 1: dil_conv_3x3 of block 0 plus identity of the previous cell",
        "output": "the output: block 0, block 1, concatenated",
    }
    texts = ["".join(text.itertext()) for text in image.iter(f"{SVG}text")]
    assert sorted(texts) == sorted(
        ["Hc−2", "Hc−1", "sep 5×5", "my.own-op", "0", "dil 3×3", "identity", "1", "concat", "Hc"]
    )


def test_drawing_twice_gives_the_same_text() -> None:
    assert draw_cell(CELL) == draw_cell(CELL)
    assert cell_fragment(CELL) == cell_fragment(CELL)


def test_a_fragment_is_xml_without_ids_whose_classes_the_css_knows() -> None:
    text = cell_fragment(CELL)
    image = ET.fromstring(text)
    assert not any("id" in element.attrib for element in image.iter())
    assert image.attrib["aria-label"] == str(CELL)
    classes = {element.attrib["class"] for element in image.iter() if "class" in element.attrib}
    assert classes == set(re.findall(r"\.([a-z]+)\b", DRAWING_CSS)) & classes


def test_a_fragment_of_five_blocks_is_short() -> None:
    cell = Cell([[i - 2, "sep_conv_3x3", i - 1, "conv_1x7_7x1"] for i in range(5)])
    assert len(cell_fragment(cell).encode()) < 3_100


def test_a_title_is_escaped() -> None:
    image = ET.fromstring(to_svg(network_scene([Stage(label="<&>")], 'a "<&>"')))
    assert image.findtext(f"{SVG}title") == 'a "<&>"'
    assert "<&>" in [text.text for text in image.iter(f"{SVG}text")]


@pytest.mark.parametrize("n_cells", [1, 2])
def test_scenes_side_by_side_keep_their_parts_apart(n_cells: int) -> None:
    cells = [(f"cell {index}", cell_scene(CELL, (0, 1), "a cell")) for index in range(n_cells)]
    network = network_scene([Stage(label="image"), Stage(label="cell", n_repeats=3, note="8×8")], "a network")
    image = ET.fromstring(to_svg(beside([*cells, ("network", network)], "both")))
    names = [group.attrib["id"] for group in image.iter(f"{SVG}g")]
    assert len(names) == len(set(names)) == n_cells * 6 + 3
    rects = [{name: float(rect.attrib[name]) for name in ("x", "width")} for rect in image.iter(f"{SVG}rect")]
    assert max(rect["x"] + rect["width"] for rect in rects) <= float(image.attrib["width"])
    texts = [text.text for text in image.iter(f"{SVG}text")]
    assert {"network", "× 3", "8×8", *(name for name, _ in cells)} <= set(texts)
