from collections.abc import Sequence

import numpy as np

from pnas_search._strategies._base import Candidate, Predictions
from pnas_search._testing._outcomes import arbitrary
from pnas_search._testing._strategy_laws import StrategyLaws
from pnas_searchspace import CellSpace


class CandidateLaws(StrategyLaws):
    """What a strategy asks for."""

    def test_it_asks_for_something(self, space: CellSpace) -> None:
        assert len(self.make(space, 0).ask()), "it asks for nothing"

    def test_cells_are_canonical_and_of_the_space(self, space: CellSpace) -> None:
        for candidate in self._candidates(space):
            assert str(candidate.cell) == candidate.cell.key, f"{candidate.cell} is not in canonical form"
            space.to_array([candidate.cell])

    def test_a_cell_is_asked_for_once_at_each_fidelity(self, space: CellSpace) -> None:
        asked = [(candidate.cell.key, candidate.fidelity) for candidate in self._candidates(space)]
        twice = {one for one in asked if asked.count(one) > 1}
        assert not twice, f"these were asked for more than once: {twice}"

    def test_fidelities_are_positive_integers(self, space: CellSpace) -> None:
        for candidate in self._candidates(space):
            assert isinstance(candidate.fidelity, int), f"the fidelity of {candidate.cell} is {candidate.fidelity!r}"
            assert candidate.fidelity >= 1, f"the fidelity of {candidate.cell} is {candidate.fidelity}"

    def test_parents_were_asked_for_in_earlier_rounds(self, space: CellSpace) -> None:
        earlier: set[str] = set()
        for candidates, _ in self.search(space):
            for candidate in candidates:
                assert candidate.parent is None or str(candidate.parent) in earlier, (
                    f"{candidate} has an unknown parent"
                )
            earlier |= {str(candidate.cell) for candidate in candidates}

    def test_rounds_and_all_of_them_together_are_within_the_budget(self, space: CellSpace) -> None:
        sizes = [len(candidates) for candidates, _ in self.search(space)]
        assert max(sizes) <= self.round_size, f"there are rounds of {sizes}, and round_size is {self.round_size}"
        assert sum(sizes) <= self.n_models, f"there are rounds of {sizes}, and n_models is {self.n_models}"

    def test_a_search_that_has_ended_stays_so(self, space: CellSpace) -> None:
        strategy = self.make(space, 0)
        for _ in self.rounds(strategy):
            pass
        best = strategy.best()
        for _ in range(3):
            assert len(strategy.ask()) == 0, "it asks again after the end"
            assert strategy.best() == best, "the best is another one after the end"

    def test_predictions_are_of_what_the_round_was_chosen_from(self, space: CellSpace) -> None:
        strategy = self.make(space, 0)
        for index in range(self.n_models):
            candidates = strategy.ask()
            if not candidates:
                break
            _check_predictions(strategy.predictions(), candidates, space)
            strategy.tell(candidates, arbitrary(index, candidates))

    def _candidates(self, space: CellSpace) -> list[Candidate]:
        return [candidate for candidates, _ in self.search(space) for candidate in candidates]


def _check_predictions(said: Predictions | None, candidates: Sequence[Candidate], space: CellSpace) -> None:
    if said is None:
        return
    assert said.operations == tuple(space.operations), f"the operations are {space.operations}, not {said.operations}"
    for values in (said.mean, said.mean if said.std is None else said.std):
        assert values.shape == (len(said.cells),), f"there are {len(said.cells)} cells and predictions {values.shape}"
        assert np.isfinite(values).all(), f"not all predictions are finite: {values}"
    mean_of = dict(zip(map(str, space.to_cells(said.cells)), said.mean, strict=True))
    assert len(mean_of) == len(said.cells), "a cell was predicted twice"
    for candidate in candidates:
        if candidate.predicted is not None:
            mean = mean_of.get(str(candidate.cell))
            assert mean == candidate.predicted, f"{candidate} comes with one prediction, and {mean} is the other"
