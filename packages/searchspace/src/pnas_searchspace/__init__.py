"""Cells as data: encoding, symmetry and expansion of the search space of Progressive Neural Architecture Search."""

from pnas_searchspace._block import Block
from pnas_searchspace._cell import Cell
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._operations import PNAS_OPERATIONS
from pnas_searchspace._space import CellSpace

__all__ = ["PNAS_OPERATIONS", "Block", "Cell", "CellSpace", "SearchSpaceError"]
__version__ = "0.1.0"
