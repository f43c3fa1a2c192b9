"""The suite is passed by sound strategies, and a strategy that breaks a law fails by that law."""

import dataclasses
import inspect
import random
import unittest

import numpy as np
import pytest

from pnas_search import Candidate, Listed, Predictions, Progressive, Random
from pnas_search.testing import StrategySuite
from pnas_searchspace import Cell


class Ridge:
    """Learns what every operation adds."""

    def fit(self, X, y):
        features = self._features(X)
        self.weights = np.linalg.solve(features.T @ features + np.eye(features.shape[1]), features.T @ y)

    def predict(self, X):
        return self._features(X) @ self.weights

    def _features(self, X):
        return np.array([np.bincount(x[1::2], minlength=8) / len(x) for x in X])


class TestProgressive(StrategySuite):
    n_models = 136 + 2 * 16
    round_size = 136
    is_seeded = False
    beats_random = True

    def make(self, space, seed):
        return Progressive(space, n_blocks=3, beam_size=16, make_predictor=lambda _: Ridge())


class TestListed(StrategySuite):
    n_models = 40
    round_size = 16
    is_seeded = False

    def make(self, space, seed):
        return Listed(space.to_cells(space.one_block_cells()[:40]), round_size=16)


class Sound(Random):
    """Keeps all laws, and is here to be broken."""

    def __init__(self, space, seed, **settings):
        super().__init__(space, **{"n_blocks": 2, "n_models": 24, "round_size": 8, "seed": seed} | settings)
        self.seed = seed
        self.n_asked = 0


class TestSound(StrategySuite):
    n_models = 24
    round_size = 8

    def make(self, space, seed):
        return Sound(space, seed)


class AsksAnew(Sound):
    def ask(self):
        self.seed += 1
        return super().ask()[:: (-1) ** self.seed]


class RemembersAsking(Sound):
    def __init__(self, space, seed):
        super().__init__(space, seed)
        self.asked_at = set()

    def ask(self):
        self.asked_at.add(len(self._history))
        return super().ask()[:: (-1) ** len(self.asked_at)]


class KnowsOnlyWhatItAskedFor(Sound):
    def __init__(self, space, seed):
        super().__init__(space, seed)
        self.asked = set()

    def ask(self):
        candidates = super().ask()
        self.asked |= {candidate.cell for candidate in candidates}
        return candidates

    def best(self):
        best = super().best()
        return best if best and best[0] in self.asked else None


class DrawsFromGlobalGenerators(Sound):
    def ask(self):
        random.seed(str(len(self._history)))
        return random.sample(candidates := super().ask(), len(candidates))


class DependsOnGlobalGenerators(Sound):
    def __init__(self, space, seed):
        super().__init__(space, np.random.get_state()[2])  # noqa: NPY002


class SortsByHash(Sound):
    def ask(self):
        return sorted(super().ask(), key=lambda candidate: hash(str(candidate.cell)))


class SortsByHashSuite(StrategySuite):
    """Not in a function, so that another process can import it."""

    def make(self, space, seed):
        return SortsByHash(space, seed)


class IgnoresItsSeed(Sound):
    def __init__(self, space, seed):
        super().__init__(space, 0)


class AsksForNothing(Sound):
    def ask(self):
        return []


class SwapsOperands(Sound):
    def ask(self):
        swapped = [Cell((i2, o2, i1, o1) for i1, o1, i2, o2 in candidate.cell) for candidate in super().ask()]
        return [Candidate(cell=cell) for cell in swapped]


class LeavesTheSpace(Sound):
    def ask(self):
        candidates = super().ask()
        return [Candidate(cell=Cell([(-3, "conv", -3, "conv")])), *candidates[1:]] if candidates else []


class Repeats(Sound):
    def ask(self):
        return (
            [*super().ask()[:7], Candidate(cell=self._history.cells[0])] if len(self._history) == 8 else super().ask()
        )


class TrainsForNoTime(Sound):
    def ask(self):
        return [dataclasses.replace(candidate, fidelity=0) for candidate in super().ask()]


class HasParentsOfTheSameRound(Sound):
    def ask(self):
        candidates = super().ask()
        return [dataclasses.replace(candidate, parent=candidates[0].cell) for candidate in candidates]


class AsksForTooMany(Sound):
    def __init__(self, space, seed):
        super().__init__(space, seed, round_size=9)


class GoesOn(Sound):
    def __init__(self, space, seed):
        super().__init__(space, seed, n_models=25)


class BeginsAgain(Sound):
    def ask(self):
        self.n_asked += 1
        return super().ask() or (Random.ask(Sound(self._space, 1)) if self.n_asked > 4 else [])


class Predicts(Sound):
    """What it says of 24 cells is sound but for one change."""

    std = None
    predicted = 0.5

    def ask(self):
        return [dataclasses.replace(candidate, predicted=self.predicted) for candidate in super().ask()]

    def predictions(self):
        cells = self._space.to_array([candidate.cell for candidate in self.ask()])
        return self.change(
            operations=tuple(self._space.operations), cells=cells, mean=np.full(len(cells), 0.5), std=None
        )

    def change(self, **said):
        return Predictions(**said)


class PredictsInfinity(Predicts):
    def change(self, std, **said):
        return Predictions(std=np.full(len(said["mean"]), np.inf), **said)


class PredictsTooFew(Predicts):
    def change(self, mean, **said):
        return Predictions(mean=mean[:-1], **said)


class PredictsTwice(Predicts):
    def change(self, cells, **said):
        return Predictions(cells=np.concatenate([cells[:1], cells[:-1]]), **said)


class PredictsOtherOperations(Predicts):
    def change(self, operations, **said):
        return Predictions(operations=operations[::-1], **said)


class PredictsOtherwise(Predicts):
    predicted = 0.25


class StumblesOverAFailure(Sound):
    def tell(self, candidates, outcomes):
        super().tell(candidates, outcomes)
        sum(outcome.accuracy for outcome in outcomes)


class StumblesOverARoundOfFailures(Sound):
    def tell(self, candidates, outcomes):
        super().tell(candidates, outcomes)
        max(outcome.accuracy for outcome in outcomes if outcome.accuracy is not None)


class DividesByTheRange(Sound):
    def tell(self, candidates, outcomes):
        super().tell(candidates, outcomes)
        accuracies = [outcome.accuracy or 0 for outcome in outcomes]
        self.spread = 1 / (max(accuracies) - min(accuracies) if len(accuracies) > 1 else 1)


class HasABestBeforeAnyIsTrained(Sound):
    def best(self):
        return super().best() or (self.ask()[0].cell, None)


class HasNoBest(Sound):
    def best(self):
        return None


class TakesTheLastForTheBest(Sound):
    def best(self):
        return (self._history.cells[-2], self._history.outcomes[-2]) if len(self._history) else None


class BeautifiesTheBest(Sound):
    def best(self):
        best = super().best()
        return best and (best[0], dataclasses.replace(best[1], accuracy=1.0))


class TakesAFailureForTheBest(Sound):
    def best(self):
        return super().best() or ((self._history.cells[0], self._history.outcomes[0]) if len(self._history) else None)


class SortsWhatItIsTold(Sound):
    def tell(self, candidates, outcomes):
        super().tell(candidates, outcomes)
        outcomes.sort(key=lambda outcome: outcome.accuracy)


class KeepsTheListsOfOthers(Sound):
    told = ()

    def tell(self, candidates, outcomes):
        super().tell(candidates, outcomes)
        self.told = outcomes

    def ask(self):
        return super().ask()[:: -1 if self.told else 1]


class TakesTheWorst(Sound):
    """Its operations are the three of least effect."""

    def __init__(self, space, seed):
        super().__init__(space, seed, allowed=lambda cells: np.isin(cells[:, :, 1::2], (0, 5, 6)).all(axis=(1, 2)))


@pytest.mark.parametrize(
    ("broken", "law", "message"),
    [
        (AsksAnew, "asking_twice_gives_the_same", "and asked again for"),
        (RemembersAsking, "a_search_that_is_resumed_goes_on_as_one_that_never_stopped", "after resuming"),
        (KnowsOnlyWhatItAskedFor, "a_search_that_is_resumed_goes_on_as_one_that_never_stopped", "the best is another"),
        (DrawsFromGlobalGenerators, "the_global_random_generators_do_not_matter_and_are_left_as_they_are", "been used"),
        (
            DependsOnGlobalGenerators,
            "the_global_random_generators_do_not_matter_and_are_left_as_they_are",
            "on a global",
        ),
        (IgnoresItsSeed, "another_seed_is_another_search", "two seeds give the same search"),
        (AsksForNothing, "it_asks_for_something", "it asks for nothing"),
        (SwapsOperands, "cells_are_canonical_and_of_the_space", "is not in canonical form"),
        (LeavesTheSpace, "cells_are_canonical_and_of_the_space", "reads input -3"),
        (Repeats, "a_cell_is_asked_for_once_at_each_fidelity", "more than once"),
        (TrainsForNoTime, "fidelities_are_positive_integers", " is 0"),
        (HasParentsOfTheSameRound, "parents_were_asked_for_in_earlier_rounds", "has an unknown parent"),
        (
            AsksForTooMany,
            "rounds_and_all_of_them_together_are_within_the_budget",
            "rounds of .9, 9, 6., and round_size is 8",
        ),
        (GoesOn, "rounds_and_all_of_them_together_are_within_the_budget", "has asked for 25 cells, and n_models is 24"),
        (BeginsAgain, "a_search_that_has_ended_stays_so", "asks again after the end"),
        (PredictsInfinity, "predictions_are_of_what_the_round_was_chosen_from", "not all predictions are finite"),
        (PredictsTooFew, "predictions_are_of_what_the_round_was_chosen_from", "there are 8 cells and predictions"),
        (PredictsTwice, "predictions_are_of_what_the_round_was_chosen_from", "predicted twice"),
        (PredictsOtherOperations, "predictions_are_of_what_the_round_was_chosen_from", "the operations are"),
        (PredictsOtherwise, "predictions_are_of_what_the_round_was_chosen_from", "0.5 is the other"),
        (StumblesOverAFailure, "some_children_may_fail_or_be_stopped", "unsupported operand"),
        (
            StumblesOverARoundOfFailures,
            "all_children_of_a_round_may_fail_and_end_the_search_only_with_a_search_error",
            "empty",
        ),
        (DividesByTheRange, "accuracies_may_all_be_equal", "division by zero"),
        (HasABestBeforeAnyIsTrained, "the_best_is_a_child_that_did_not_fail_and_its_outcome", "before any was trained"),
        (HasNoBest, "the_best_is_a_child_that_did_not_fail_and_its_outcome", "there is no best cell"),
        (TakesTheLastForTheBest, "the_best_is_a_child_that_did_not_fail_and_its_outcome", "is one that failed"),
        (
            BeautifiesTheBest,
            "the_best_is_a_child_that_did_not_fail_and_its_outcome",
            "was not trained with the outcome",
        ),
        (TakesAFailureForTheBest, "there_is_no_best_while_all_have_failed", "all have failed, and the best is"),
        (SortsWhatItIsTold, "what_is_told_is_neither_changed_nor_kept", "have been changed"),
        (KeepsTheListsOfOthers, "what_is_told_is_neither_changed_nor_kept", "depends on a list"),
        (TakesTheWorst, "it_finds_better_cells_than_random_search", "and those of random search"),
    ],
)
def test_a_strategy_that_breaks_a_law_fails_by_it(broken, law, message):
    class Suite(StrategySuite):
        n_models = 24
        round_size = 8
        beats_random = True

        def make(self, space, seed):
            return broken(space, seed)

    test = getattr(Suite(), f"test_{law}")
    spaces = [Suite.spaces[0]] if "space" in inspect.signature(test).parameters else []
    with pytest.raises(Exception, match=message) as caught:
        test(*spaces)
    assert not isinstance(caught.value, (NotImplementedError, unittest.SkipTest))


def test_a_strategy_that_depends_on_hashes_fails_by_that_law():
    with pytest.raises(AssertionError, match="in another process it asks otherwise"):
        SortsByHashSuite().test_hashes_of_texts_do_not_matter()


def test_a_suite_that_another_process_cannot_import_is_not_tested_for_hashes():
    class Suite(TestSound):
        pass

    with pytest.raises(unittest.SkipTest, match="cannot be imported by another process"):
        Suite().test_hashes_of_texts_do_not_matter()


def test_a_suite_that_makes_no_strategy_says_what_is_missing(space):
    with pytest.raises(NotImplementedError, match="StrategySuite must say how to make its strategy"):
        StrategySuite().make(space, 0)
