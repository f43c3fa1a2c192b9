from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pnas_search._strategies._history import History, reward
from pnas_search._strategies._unseen import Allowed
from pnas_searchspace import Cell, CellSpace

Tokens = NDArray[np.int64]


@dataclass
class Draws:
    """What a policy drew for a round.

    Attributes:
        spellings: of every draw, `(4 * n_blocks,)`.
        cells: of every draw, in canonical form; None where it is not allowed.
        new: those that are allowed and were not trained before, by their texts.
    """

    spellings: list[Tokens] = field(default_factory=list)
    cells: list[Cell | None] = field(default_factory=list)
    new: dict[str, Cell] = field(default_factory=dict)

    def rewards(self, history: History) -> NDArray[np.float64]:
        """What every draw was worth, `(N,)`."""
        return np.array([0.0 if cell is None else reward(history.outcome(cell)) for cell in self.cells])


def draw(spelt: Iterable[tuple[Tokens, Cell | None]], size: int, history: History) -> Draws:
    """Draw spellings until so many cells are new, or there are no more of them."""
    draws = Draws()
    for spelling, cell in spelt:
        draws.spellings.append(spelling)
        draws.cells.append(cell)
        if cell is not None and cell not in history:
            draws.new[str(cell)] = cell
        if len(draws.new) == size:
            break
    return draws


def spelt_cells(batches: Iterable[Tokens], space: CellSpace, allowed: Allowed) -> Iterator[tuple[Tokens, Cell | None]]:
    """Every spelling of batches `(N, 4 * n_blocks)` with its canonical cell, or None where that is not allowed."""
    for tokens in batches:
        cells = space.canonical(space.decode(tokens))
        for spelling, cell, may in zip(tokens, space.to_cells(cells), allowed(cells), strict=True):
            yield spelling, cell if may else None
