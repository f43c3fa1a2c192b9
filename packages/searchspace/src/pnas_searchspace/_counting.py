from math import comb, prod
from typing import Literal, get_args

from pnas_searchspace._checks import short
from pnas_searchspace._errors import SearchSpaceError

Symmetry = Literal["nothing", "commutativity", "isomorphism"]
"""What does not make two encodings different cells: nothing; swapping the operands of a block; and relabelling blocks
as well."""


def count_encodings(n_blocks: int, n_cell_inputs: int, n_operations: int, up_to: Symmetry) -> int:
    """How many encodings of a size there are, up to nothing or up to commutativity."""
    n_operands = [(n_cell_inputs + earlier) * n_operations for earlier in range(n_blocks)]
    if up_to == "nothing":
        return prod(n**2 for n in n_operands)
    if up_to == "commutativity":
        return prod(comb(n + 1, 2) for n in n_operands)
    raise SearchSpaceError(f"up_to must be one of {', '.join(get_args(Symmetry))}, not {short(up_to)}")
