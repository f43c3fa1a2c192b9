"""Cells as the integer sequences that a surrogate reads."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._checks import checked_integers
from pnas_searchspace._codes import Cells
from pnas_searchspace._errors import SearchSpaceError


def to_tokens(cells: Cells, n_cell_inputs: int) -> NDArray[np.int64]:
    """Cells `(N, n_blocks, 4)` as sequences `(N, 4 * n_blocks)`; the farthest input of the cell is token 0."""
    tokens = cells.copy()
    tokens[:, :, 0::2] += n_cell_inputs
    return tokens.reshape(len(tokens), 4 * tokens.shape[1])


def from_tokens(tokens: ArrayLike, n_cell_inputs: int, n_operations: int, cells_in_one: int = 1) -> Cells:
    """The cells `(N * cells_in_one, n_blocks, 4)` of sequences `(N, 4 * n_blocks * cells_in_one)`, checked."""
    for_a_block = 4 * cells_in_one
    sequences = checked_integers("token sequences", tokens, ("N", f"{for_a_block} * n_blocks"))
    n_blocks, left = divmod(sequences.shape[1], for_a_block)
    if left or not n_blocks:
        raise SearchSpaceError(
            f"token sequences must have {for_a_block} tokens for each block, and these have {sequences.shape[1]}"
        )
    n_choices = [n for block in range(n_blocks) for n in 2 * (n_cell_inputs + block, n_operations)]
    ends = np.array(n_choices * cells_in_one)
    valid = (sequences >= 0) & (sequences < ends)
    if not valid.all():
        row, place = np.argwhere(~valid)[0]
        raise SearchSpaceError(
            f"token {place} of sequence {row} is {sequences[row, place]}; expected 0 to {ends[place] - 1}"
        )
    cells = sequences.reshape(-1, n_blocks, 4).copy()
    cells[:, :, 0::2] -= n_cell_inputs
    return cells
