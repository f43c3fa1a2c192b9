"""A cell as parameters of a trial."""

from collections.abc import Mapping
from typing import Any

from optuna.trial import BaseTrial

from pnas_searchspace import Cell, CellSpace

SIZE = "n_blocks"
"""The name of the parameter that every cell has."""

_FIELDS = ("input_1", "operation_1", "input_2", "operation_2")


def suggest_cell(trial: BaseTrial, space: CellSpace, n_blocks: int) -> Cell:
    """A cell of at most so many blocks, suggested one parameter after the other, whatever the study's sampler.

    The parameters are `n_blocks`, an integer from 1, and for every block of the cell, from `block_0` on,
    `block_0_input_1` and `block_0_input_2`, integers as in `Cell`, and `block_0_operation_1` and
    `block_0_operation_2`, names of operations.

    Args:
        trial: of a study of cells of this space, with the same `n_blocks` in every trial.
        space: of the cells.
        n_blocks: B, the size of the largest cells.

    Returns:
        The cell in canonical form, so that two trials of one network have one cell.
    """
    size = trial.suggest_int(SIZE, 1, n_blocks)
    blocks = []
    for index in range(size):
        input_1, operation_1, input_2, operation_2 = _names(index)
        blocks.append(
            (
                trial.suggest_int(input_1, -space.n_cell_inputs, index - 1),
                trial.suggest_categorical(operation_1, space.operations),
                trial.suggest_int(input_2, -space.n_cell_inputs, index - 1),
                trial.suggest_categorical(operation_2, space.operations),
            )
        )
    return Cell(blocks).canonical()


def parameters_of(cell: Cell) -> dict[str, int | str]:
    """What `suggest_cell` makes this cell of."""
    parameters: dict[str, int | str] = {SIZE: len(cell)}
    for index, block in enumerate(cell):
        parameters.update(zip(_names(index), block, strict=True))
    return parameters


def cell_of(parameters: Mapping[str, Any]) -> Cell | None:
    """The cell of a trial's parameters, in canonical form; None where they are not all there."""
    names = [_names(index) for index in range(parameters.get(SIZE, 0))]
    if not names or not all(name in parameters for block in names for name in block):
        return None
    return Cell([[parameters[name] for name in block] for block in names]).canonical()


def _names(index: int) -> list[str]:
    return [f"block_{index}_{field}" for field in _FIELDS]
