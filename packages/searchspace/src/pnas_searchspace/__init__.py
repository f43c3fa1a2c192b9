"""Cells as data: encoding, symmetry, exact counting, sampling and expansion of cell-based search spaces."""

from pnas_searchspace._block import Block
from pnas_searchspace._cell import Cell
from pnas_searchspace._counting import Symmetry
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._operations import PNAS_OPERATIONS
from pnas_searchspace._pairs import CellPairSpace
from pnas_searchspace._space import CellSpace

__all__ = ["PNAS_OPERATIONS", "Block", "Cell", "CellPairSpace", "CellSpace", "SearchSpaceError", "Symmetry"]
__version__ = "0.1.0"
