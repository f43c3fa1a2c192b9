"""Cells and networks as pictures, after figure 1 of the paper."""

from pnas_searchspace import Cell
from pnas_tools._drawing._beside import beside
from pnas_tools._drawing._cell_scene import cell_scene
from pnas_tools._drawing._network_scene import Stage, network_scene
from pnas_tools._drawing._scene import Scene
from pnas_tools._drawing._style import DRAWING_CSS
from pnas_tools._drawing._svg import to_fragment, to_svg

__all__ = [
    "DRAWING_CSS",
    "Scene",
    "Stage",
    "beside",
    "cell_fragment",
    "cell_scene",
    "draw_cell",
    "network_scene",
    "to_png",
    "to_svg",
]


def draw_cell(cell: Cell) -> str:
    """The cell as an SVG image that stands by itself."""
    return to_svg(_scene(cell))


def cell_fragment(cell: Cell) -> str:
    """The cell as an `<svg>` element for a page that has `DRAWING_CSS` in a `<style>`; it has no ids.

    Its texts have the colour of the page's, so that it goes with light pages and with dark ones.
    """
    return to_fragment(_scene(cell))


def to_png(scene: Scene) -> bytes:
    """The scene as an image, two pixels for one of the scene."""
    from pnas_tools._drawing._png import to_png  # matplotlib takes a while to import

    return to_png(scene)


def _scene(cell: Cell) -> Scene:
    return cell_scene(cell, range(len(cell)), str(cell))
