"""Cells and networks as pictures, after figure 1 of the paper."""

from pnas_searchspace import Cell
from pnas_tools._drawing._cell_scene import cell_scene
from pnas_tools._drawing._style import DRAWING_CSS
from pnas_tools._drawing._svg import to_fragment, to_svg

__all__ = ["DRAWING_CSS", "cell_fragment", "draw_cell"]


def draw_cell(cell: Cell) -> str:
    """The cell as an SVG image that stands by itself."""
    return to_svg(cell_scene(cell, range(len(cell)), str(cell)))


def cell_fragment(cell: Cell) -> str:
    """The cell as an `<svg>` element for a page that has `DRAWING_CSS` in a `<style>`; it has no ids.

    Its texts have the colour of the page's, so that it goes with light pages and with dark ones.
    """
    return to_fragment(cell_scene(cell, range(len(cell)), str(cell)))
