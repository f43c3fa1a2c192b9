import copy
import json
import random

import numpy as np

from pnas_search._strategies._base import Strategy
from pnas_search._testing._another_process import searched_elsewhere
from pnas_search._testing._strategy_laws import StrategyLaws, written
from pnas_searchspace import CellSpace


class AskingLaws(StrategyLaws):
    """What a round depends on: what the strategy was made with and told, and nothing else."""

    def test_asking_twice_gives_the_same(self, space: CellSpace) -> None:
        strategy = self.make(space, 0)
        self._check_asking_twice(strategy)
        for _ in self.rounds(strategy):
            self._check_asking_twice(strategy)

    def test_a_search_that_is_resumed_goes_on_as_one_that_never_stopped(self, space: CellSpace) -> None:
        strategy = self.make(space, 0)
        bests = [strategy.best()]
        told = []
        for candidates, outcomes in self.rounds(strategy):
            # A ledger gives equal ones, and not the same.
            told.append(copy.deepcopy((candidates, outcomes)))
            bests.append(strategy.best())
        for n_rounds in range(len(told) + 1):
            resumed = self.make(space, 0)
            for candidates, outcomes in told[:n_rounds]:
                resumed.tell(candidates, outcomes)
            expected = told[n_rounds][0] if n_rounds < len(told) else []
            assert written(resumed.ask()) == written(expected), f"round {n_rounds} is another one after resuming"
            assert resumed.best() == bests[n_rounds], f"after {n_rounds} rounds and resuming, the best is another one"

    def test_the_global_random_generators_do_not_matter_and_are_left_as_they_are(self, space: CellSpace) -> None:
        expected = [written(candidates) for candidates, _ in self.search(space)]
        random.random()
        np.random.random()  # noqa: NPY002
        before = _global_states()
        again = [written(candidates) for candidates, _ in self.search(space)]
        assert again == expected, "what it asks for depends on a global random generator"
        assert _global_states() == before, "a global random generator has been used"

    def test_hashes_of_texts_do_not_matter(self) -> None:
        expected = [written(candidates) for candidates, _ in self.search(self.spaces[0])]
        assert searched_elsewhere(type(self)) == json.loads(json.dumps(expected)), (
            "in another process it asks otherwise"
        )

    def test_another_seed_is_another_search(self) -> None:
        if self.is_seeded:
            searches = [[written(candidates) for candidates, _ in self.search(self.spaces[0], seed)] for seed in (0, 1)]
            assert searches[0] != searches[1], "two seeds give the same search"

    def _check_asking_twice(self, strategy: Strategy) -> None:
        first, second = written(strategy.ask()), written(strategy.ask())
        assert first == second, f"it asks for {first}, and asked again for {second}"


def _global_states() -> tuple[object, ...]:
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return random.getstate(), name, tuple(keys), *rest
