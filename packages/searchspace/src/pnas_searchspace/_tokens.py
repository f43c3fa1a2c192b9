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


def from_tokens(tokens: ArrayLike, n_cell_inputs: int) -> Cells:
    """What `to_tokens` gave, back as cells; whether they are cells is not checked."""
    sequences = checked_integers("token sequences", tokens, ("N", "4 * n_blocks"))
    if sequences.shape[1] % 4:
        raise SearchSpaceError(f"a token sequence has 4 tokens for a block, and these have {sequences.shape[1]}")
    cells = sequences.reshape(len(sequences), sequences.shape[1] // 4, 4).copy()
    cells[:, :, 0::2] -= n_cell_inputs
    return cells
