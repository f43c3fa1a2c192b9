from dataclasses import replace

import pytest

from pnas_search import Outcome, Progressive, Random, Reranked, Strategy, all_allowed
from pnas_searchspace import CellSpace
from pnas_tools._config import PRESETS, SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._plan import budget, planned_levels
from pnas_tools._strategies import check_strategy_sizes, make_strategy
from pnas_tools._strategy_names import STRATEGIES

QUICK = PRESETS["quick"]
SPACE = CellSpace()


def made(config: SearchConfig, **others: object) -> Strategy:
    settings = {"allowed": all_allowed, "costs": None, "priors": [], **others}
    return make_strategy(config, SPACE, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_asks_for_as_many_as_its_budget_says(name: str) -> None:
    config = replace(QUICK, strategy=name, n_blocks=2, beam_size=8, surrogate_epochs=1)
    strategy = made(config)
    n_asked = 0
    while candidates := strategy.ask():
        n_asked += len(candidates)
        outcomes = [
            Outcome(status="finished", accuracy=1 / (1 + place), accuracies=(), n_examples=1, seconds=1.0)
            for place in range(len(candidates))
        ]
        strategy.tell(candidates, outcomes)
    assert n_asked == budget(config, SPACE) == 136 + 8
    assert budget(replace(config, n_models=7), SPACE) == 7


def test_what_is_allowed_and_what_is_reranked_reaches_the_strategy() -> None:
    config = replace(QUICK, strategy="random", n_reranked=3, rerank_fidelity=4)
    strategy = made(config, allowed=lambda cells: (cells[:, :, 1::2] == 0).all(axis=(1, 2)))
    assert isinstance(strategy, Reranked)
    candidates = strategy.ask()
    assert {block.operation_1 for one in candidates for block in one.cell} == {SPACE.operations[0]}
    assert isinstance(made(replace(config, n_reranked=0)), Random)
    assert isinstance(made(QUICK), Progressive)


def test_the_plan_has_the_levels_that_there_will_be() -> None:
    def plan(**settings: object) -> list[tuple[int, int, int]]:
        levels = planned_levels(replace(QUICK, **settings), SPACE)
        return [(level.n_blocks, level.fidelity, level.n_children) for level in levels]

    assert plan() == [(1, 1, 136), (2, 1, 16), (3, 1, 16)]
    assert plan(n_models=140) == [(1, 1, 136), (2, 1, 4)]
    assert plan(strategy="random") == [(3, 1, 168)]
    assert plan(strategy="random", n_models=9, n_reranked=2) == [(3, 1, 9), (3, 15, 2)]


def test_only_an_ensemble_needs_as_many_cells_as_it_has_members() -> None:
    many = replace(QUICK, n_members=11)
    with pytest.raises(BadInput, match="--members 11 needs as many cells of one block, and there are 10"):
        check_strategy_sizes(many, 10)
    for enough in (replace(many, surrogate="recommended"), replace(many, strategy="random"), replace(many, n_blocks=1)):
        check_strategy_sizes(enough, 10)


def test_a_budget_that_ends_among_the_cells_of_one_block_is_refused() -> None:
    few = replace(QUICK, n_models=136)
    with pytest.raises(BadInput, match="trains all 136 cells of one block first, and --models 136 leaves nothing"):
        check_strategy_sizes(few, 136)
    for enough in (replace(few, n_models=137), replace(few, strategy="random"), replace(few, n_blocks=1)):
        check_strategy_sizes(enough, 136)
