"""Who decides what a search trains, made of its config."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_search import (
    AdaptiveBeam,
    Allowed,
    LocalSearch,
    MonteCarloTreeSearch,
    Prior,
    Progressive,
    Random,
    RegularizedEvolution,
    Reinforce,
    Reranked,
    Strategy,
)
from pnas_searchspace import Cell, CellSpace
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._plan import budget
from pnas_tools._surrogate import surrogate_factory

Cells = NDArray[np.int64]


def check_strategy_sizes(config: SearchConfig, n_first: int) -> None:
    """Raise `BadInput` where the cells of one block, of which there are `n_first`, are too few, or too many."""
    if config.strategy != "progressive" or config.n_blocks == 1:
        return
    if config.surrogate.endswith("-ensemble") and n_first < config.n_members:
        raise BadInput(
            f"--members {config.n_members} needs as many cells of one block, and there are {n_first}: "
            "pass fewer members, more operations, or a limit that leaves more"
        )
    if config.n_models is not None and config.n_models <= n_first:
        raise BadInput(
            f"progressive trains all {n_first} cells of one block first, and --models {config.n_models} leaves nothing "
            "for larger ones: pass more, or another --strategy"
        )


def make_strategy(
    config: SearchConfig,
    space: CellSpace,
    *,
    allowed: Allowed,
    costs: Callable[[Cells], NDArray[np.float64]] | None,
    priors: Sequence[Mapping[str, float]],
) -> Strategy:
    """The strategy that a config names, before its first round.

    Args:
        config: of the search.
        space: of its cells.
        allowed: says which cells `(N, n_blocks, 4)` may be trained, `(N,)`.
        costs: of cells `(N, n_blocks, 4)`, what is to be low, `(N, n_costs)`; None for accuracy alone.
        priors: the accuracies of every cell, by its key, that earlier runs have trained.
    """
    if config.strategy == "progressive":
        strategy: Strategy = _progressive(config, space, allowed=allowed, costs=costs, priors=priors)
    else:
        strategy = _sampling(
            config,
            space,
            n_blocks=config.n_blocks,
            n_models=budget(config, space),
            round_size=config.round_size,
            seed=config.seed,
            allowed=allowed,
        )
    if config.n_reranked:
        strategy = Reranked(strategy, n_models=config.n_reranked, fidelity=config.rerank_fidelity)
    return strategy


def _progressive(
    config: SearchConfig, space: CellSpace, *, priors: Sequence[Mapping[str, float]], **rest: Any
) -> Strategy:
    beam = config.beam_range
    return Progressive(
        space,
        n_blocks=config.n_blocks,
        beam_size=config.beam_size,
        make_predictor=surrogate_factory(config, space),
        n_models=config.n_models,
        acquisition=_acquisition(config),
        exploration=config.exploration,
        adaptive_beam=None if beam is None else AdaptiveBeam(smallest=beam[0], largest=beam[1]),
        prior=[_prior(accuracies) for accuracies in priors],
        **rest,
    )


def _prior(accuracies: Mapping[str, float]) -> Prior:
    return Prior(cells=[Cell.from_text(key) for key in accuracies], accuracies=list(accuracies.values()))


def _sampling(config: SearchConfig, space: CellSpace, **settings: Any) -> Strategy:
    match config.strategy:
        case "random":
            return Random(space, **settings)
        case "reinforce":
            algorithm: Any = config.policy_gradient  # click has checked the choice
            return Reinforce(space, algorithm=algorithm, **settings)
        case "evolution":
            return RegularizedEvolution(
                space, population_size=config.population_size, tournament_size=config.tournament_size, **settings
            )
        case "mcts":
            return MonteCarloTreeSearch(space, **settings)
        case "local":
            return LocalSearch(space, **settings)
        case _:
            raise ValueError(f"no strategy has the name {config.strategy!r}")


def _acquisition(config: SearchConfig) -> Any:
    """None for the mean, which needs no deviations."""
    from pnas_surrogate import acquisition

    match config.acquisition:
        case "ucb":
            return acquisition.UpperConfidenceBound()
        case "ei":
            return acquisition.ExpectedImprovement()
        case "thompson":
            return acquisition.ThompsonSampling(random_state=config.seed)
        case _:
            return None
