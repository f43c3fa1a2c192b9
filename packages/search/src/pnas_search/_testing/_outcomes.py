import hashlib
from collections.abc import Callable, Collection, Sequence

import numpy as np

from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate
from pnas_searchspace import Cell, CellSpace

OutcomesOf = Callable[[int, Sequence[Candidate]], list[Outcome]]
"""Those of a round, by its index."""


def arbitrary(_: int, candidates: Sequence[Candidate]) -> list[Outcome]:
    """Outcomes without rhyme or reason, but always the same of a cell and a fidelity."""
    digests = [hashlib.sha256(f"{one.cell.key} {one.fidelity}".encode()).digest() for one in candidates]
    return [finished(int.from_bytes(digest[:4], "big") / 2**32) for digest in digests]


def scattered(index: int, candidates: Sequence[Candidate]) -> list[Outcome]:
    """Outcomes of which some are of children that failed or were stopped, but not of the first of a round."""
    others = {1: failed(), 3: stopped(0.25), 4: failed()}
    return [others.get(place % 5, outcome) for place, outcome in enumerate(arbitrary(index, candidates))]


def all_failed_in(rounds: Collection[int]) -> OutcomesOf:
    """Arbitrary outcomes, but all children of these rounds have failed."""
    return lambda index, candidates: [failed() for _ in candidates] if index in rounds else arbitrary(index, candidates)


def all_equal(accuracy: float) -> OutcomesOf:
    """The same accuracy for all children."""
    return lambda _, candidates: [finished(accuracy) for _ in candidates]


def smooth(space: CellSpace) -> Callable[[Cell], float]:
    """An accuracy that every operation has an effect on, a larger one where it reads a block; a mean over operands."""
    n_operations = len(space.operations)
    effects = np.random.default_rng(0).permutation(np.linspace(0, 1, n_operations)).tolist()

    def accuracy(cell: Cell) -> float:
        operands = [operand for block in cell for operand in (block[:2], block[2:])]
        return float(np.mean([effects[space.operations.index(name)] * (0.9 + 0.1 * (i >= 0)) for i, name in operands]))

    return accuracy


def finished(accuracy: float) -> Outcome:
    return Outcome(
        status="finished",
        accuracy=accuracy,
        accuracies=(accuracy / 2, accuracy),
        n_examples=100,
        seconds=1.0,
        measurements={"n_parameters": 1000.0},
    )


def stopped(accuracy: float) -> Outcome:
    return Outcome(status="stopped", accuracy=accuracy, accuracies=(accuracy / 2,), n_examples=50, seconds=0.5)


def failed() -> Outcome:
    return Outcome(
        status="diverged", accuracy=None, accuracies=(), n_examples=7, seconds=0.1, message="the loss became infinite"
    )
