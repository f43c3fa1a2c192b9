import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Strategy
from pnas_search._testing._outcomes import OutcomesOf, arbitrary
from pnas_searchspace import CellSpace

SPACES = (CellSpace(("conv", "pool")), CellSpace(), CellSpace(("identity",), n_cell_inputs=1))
"""Small enough to be listed, the paper's, and one with fewer cells than models."""


class Round(NamedTuple):
    """What was asked for, and what was told of it."""

    candidates: Sequence[Candidate]
    outcomes: Sequence[Outcome]


class StrategyLaws:
    """What the tests of a strategy need to know of it."""

    spaces: tuple[CellSpace, ...] = SPACES
    n_models: int = 500
    round_size: int = 500
    is_seeded: bool = True
    beats_random: bool = False

    def make(self, space: CellSpace, seed: int) -> Strategy:
        """A new strategy with a small budget."""
        raise NotImplementedError(
            f"{type(self).__name__} must say how to make its strategy: give it make(self, space, seed)"
        )

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Has pytest run every test that takes a space in each of them."""
        if "space" in metafunc.fixturenames:
            names = [f"{len(space.operations)} operations" for space in self.spaces]
            metafunc.parametrize("space", self.spaces, ids=names)

    def rounds(self, strategy: Strategy, outcomes_of: OutcomesOf = arbitrary) -> Iterator[Round]:
        """All rounds, each told before the next is asked for."""
        n_asked = 0
        for index in itertools.count():
            candidates = strategy.ask()
            if not candidates:
                break
            n_asked += len(candidates)
            assert n_asked <= self.n_models, f"it has asked for {n_asked} cells, and n_models is {self.n_models}"
            outcomes = outcomes_of(index, candidates)
            strategy.tell(candidates, outcomes)
            yield Round(candidates, outcomes)

    def search(self, space: CellSpace, seed: int = 0, outcomes_of: OutcomesOf = arbitrary) -> list[Round]:
        """All rounds of a new strategy."""
        return list(self.rounds(self.make(space, seed), outcomes_of))


def written(candidates: Sequence[Candidate]) -> list[tuple[Any, ...]]:
    """Candidates as they are written; two encodings of a cell are equal as cells, and not as texts."""
    return [(str(c.cell), str(c.parent), c.predicted, c.predicted_std, c.fidelity) for c in candidates]
