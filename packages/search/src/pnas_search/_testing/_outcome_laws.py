import copy
from contextlib import suppress

from pnas_search._errors import SearchError
from pnas_search._testing._outcomes import all_equal, all_failed_in, arbitrary, failed, scattered
from pnas_search._testing._strategy_laws import StrategyLaws, written
from pnas_searchspace import CellSpace


class OutcomeLaws(StrategyLaws):
    """What a strategy makes of what it is told."""

    def test_some_children_may_fail_or_be_stopped(self, space: CellSpace) -> None:
        assert self.search(space, outcomes_of=scattered), "it asks for nothing"

    def test_all_children_of_a_round_may_fail_and_end_the_search_only_with_a_search_error(
        self, space: CellSpace
    ) -> None:
        for rounds in ({0}, {1}, {2}, set(range(self.n_models))):
            with suppress(SearchError):
                self.search(space, outcomes_of=all_failed_in(rounds))

    def test_accuracies_may_all_be_equal(self, space: CellSpace) -> None:
        for accuracy in (0.0, 0.5, 1.0):
            assert self.search(space, outcomes_of=all_equal(accuracy)), "it asks for nothing"

    def test_the_best_is_a_child_that_did_not_fail_and_its_outcome(self, space: CellSpace) -> None:
        for outcomes_of in (arbitrary, scattered):
            strategy = self.make(space, 0)
            assert strategy.best() is None, "there is a best cell before any was trained"
            told = []
            for candidates, outcomes in self.rounds(strategy, outcomes_of):
                told += [(str(one.cell), outcome) for one, outcome in zip(candidates, outcomes, strict=True)]
                best = strategy.best()
                assert best is not None, "there is no best cell, though some children finished"
                cell, outcome = best
                assert (str(cell), outcome) in told, f"{cell} was not trained with the outcome {outcome}"
                assert outcome.accuracy is not None, f"the best is one that failed: {outcome}"

    def test_there_is_no_best_while_all_have_failed(self, space: CellSpace) -> None:
        strategy = self.make(space, 0)
        candidates = strategy.ask()
        with suppress(SearchError):
            strategy.tell(candidates, [failed()] * len(candidates))
            assert strategy.best() is None, f"all have failed, and the best is {strategy.best()}"

    def test_what_is_told_is_neither_changed_nor_kept(self, space: CellSpace) -> None:
        strategy = self.make(space, 0)
        for index, (expected, _) in enumerate(self.search(space)):
            candidates = list(strategy.ask())
            assert written(candidates) == written(expected), f"round {index} depends on a list that was told before"
            outcomes = arbitrary(index, candidates)
            before = copy.deepcopy(outcomes)
            strategy.tell(candidates, outcomes)
            assert written(candidates) == written(expected), "the candidates that were told have been changed"
            assert outcomes == before, "the outcomes that were told have been changed"
            candidates.clear()
            outcomes.clear()
