import unittest
from collections.abc import Sequence

import numpy as np

from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Strategy
from pnas_search._strategies._random import Random
from pnas_search._testing._outcomes import finished, smooth
from pnas_search._testing._strategy_laws import StrategyLaws


class LearningLaws(StrategyLaws):
    """What it learns from outcomes."""

    def test_it_finds_better_cells_than_random_search(self) -> None:
        if not self.beats_random:
            raise unittest.SkipTest("it need not find better cells than random search")
        space = max(self.spaces, key=lambda space: space.count(2))
        accuracy = smooth(space)

        def outcomes_of(_: int, candidates: Sequence[Candidate]) -> list[Outcome]:
            return [finished(accuracy(candidate.cell)) for candidate in candidates]

        def best_accuracy(strategy: Strategy) -> tuple[float, int, int]:
            n_models = sum(len(candidates) for candidates, _ in self.rounds(strategy, outcomes_of))
            best = strategy.best()
            assert best is not None  # of children that all finish
            return accuracy(best[0]), len(best[0]), n_models

        found, by_chance = [], []
        for seed in range(10):
            reached, n_blocks, n_models = best_accuracy(self.make(space, seed))
            random = Random(space, n_blocks=n_blocks, n_models=n_models, round_size=n_models, seed=seed)
            found.append(reached)
            by_chance.append(best_accuracy(random)[0])
        assert np.mean(found) > np.mean(by_chance), (
            f"its best cells reach {np.mean(found):.3f}, and those of random search {np.mean(by_chance):.3f}"
        )
