from io import BytesIO

import numpy as np
from PIL import Image

from pnas_searchspace import Cell
from pnas_tools._drawing import cell_scene, to_png

CELL = Cell([[-2, "sep_conv_5x5", -1, "max_pool_3x3"], [0, "identity", -1, "identity"]])
SCENE = cell_scene(CELL, (0, 1), str(CELL))


def test_an_image_has_two_pixels_for_one_of_the_scene() -> None:
    image = Image.open(BytesIO(to_png(SCENE)))
    assert image.size == (2 * SCENE.width, 2 * SCENE.height)
    assert image.info["Title"] == str(CELL)


def test_boxes_are_where_the_scene_has_them() -> None:
    pixels = np.asarray(Image.open(BytesIO(to_png(SCENE))).convert("RGB")).astype(int)
    assert (pixels[:4] == 255).all()
    boxes = [item.rect for group in SCENE.groups for item in group.items if hasattr(item, "label")]
    assert len(boxes) == 8
    for rect in boxes:
        y = round(2 * rect.top) + 8
        assert (pixels[y, round(2 * rect.left) + 12] != 255).any(), "the box is filled"
        assert (pixels[y, round(2 * rect.left) - 5] == 255).all(), "and its surroundings are not"


def test_drawing_twice_gives_the_same_image() -> None:
    assert to_png(SCENE) == to_png(SCENE)
