import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Predictions, Strategy
from pnas_search._strategies._checks import check_positive
from pnas_search._strategies._progressive._adaptive_beam import AdaptiveBeam
from pnas_search._strategies._progressive._choice import Choice
from pnas_search._strategies._progressive._front import ParetoFront
from pnas_search._strategies._progressive._predictor import Predictor, gives_std
from pnas_search._strategies._progressive._prior import Prior
from pnas_search._strategies._progressive._ranking import Acquisition, Costs, costs_of
from pnas_search._strategies._progressive._surrogate import FailedScore, Surrogate
from pnas_search._strategies._progressive._trained import Trained, with_accuracy
from pnas_search._strategies._unseen import Allowed, all_allowed
from pnas_searchspace import Cell, CellSpace


class Progressive(Strategy):
    """Progressive neural architecture search (Algorithm 1 of the paper): from simple cells to complex ones.

    The first round is all cells of one block. Every later round has one block more: all children of the round before,
    up to isomorphism, are ranked by a predictor that was fitted to all that was trained so far, and the best become the
    round. That is the paper, and what the four first arguments give; the others each go beyond it in one respect.

    A child that was stopped counts as what it was expected to reach, so that it may have children as others do, but a
    child that finished goes before it in what the search returns. One that failed has no children.

    Args:
        space: of the cells.
        n_blocks: B, the size of the cells that are returned.
        beam_size: K, how many cells of each size above one are trained.
        make_predictor: makes an unfitted predictor, given the blocks of the largest cells that it will be fitted to.
        acquisition: what children are ranked by, given the mean and the standard deviation of their accuracy, `(N,)`
            both, and the best accuracy so far; None is the mean.
        costs: of canonical cells `(N, n_blocks, 4)`, known before they are trained, `(N, n_costs)`, lower is better.
            With them, a round is filled front by front of the Pareto order of rank and costs, and what is left of it
            from the next front by crowding distance (NSGA-II; Deb et al., 2002).
        exploration: the share of a round, from 0 to 1, that goes to children with pairs of an operation and an input
            that were trained least often so far, of equals to the best (after POPNASv2; Falanti et al., 2022).
        adaptive_beam: sets K anew for every level from the third on, by how wrong the predictor was.
        allowed: says which cells may be trained; others are neither trained nor ranked.
        prior: what other searches measured, which the predictor is fitted to as well. Their accuracies are put on the
            scale of this one by a line through the cells in common. What this search has trained counts as it has
            measured it, and a cell of several others as the first of them has. Cells with other operations or inputs,
            or more blocks than `n_blocks`, are left out.
        failed_score: what the predictor is told of a child that failed: "worst" is the worst accuracy there is, and
            None is nothing.
        n_models: how many children are trained at most in all.

    Raises:
        SearchError: a size that is not positive, an exploration that is no share, or an acquisition with a predictor
            that does not say how sure it is; later, a round in which every child failed or none is allowed, or costs or
            ranks that are not finite.
    """

    def __init__(
        self,
        space: CellSpace,
        *,
        n_blocks: int,
        beam_size: int,
        make_predictor: Callable[[int], Predictor],
        acquisition: Acquisition | None = None,
        costs: Costs | None = None,
        exploration: float = 0.0,
        adaptive_beam: AdaptiveBeam | None = None,
        allowed: Allowed = all_allowed,
        prior: Sequence[Prior] = (),
        failed_score: FailedScore = "worst",
        n_models: int | None = None,
    ) -> None:
        check_positive(n_blocks=n_blocks, beam_size=beam_size, n_models=sys.maxsize if n_models is None else n_models)
        if acquisition is not None and not gives_std(make_predictor(1)):
            raise SearchError(
                "an acquisition needs to know how sure the predictor is, and this one's predict takes no return_std: "
                "give a predictor that says so, or no acquisition"
            )
        self._space = space
        self._n_blocks = n_blocks
        self._beam_size = beam_size
        self._adaptive_beam = adaptive_beam
        self._allowed = allowed
        self._costs = costs
        self._n_models = sys.maxsize if n_models is None else n_models
        priors = [one.of_space(space, n_blocks) for one in prior]
        self._surrogate = Surrogate(space, make_predictor, priors=priors, failed_score=failed_score)
        self._choice = Choice(space, acquisition=acquisition, costs=costs, exploration=exploration)
        self._levels: list[list[Trained]] = []
        self._predictions: Predictions | None = None

    def ask(self) -> list[Candidate]:
        self._predictions = None
        trained = [one for level in self._levels for one in level]
        n_left = self._n_models - len(trained)
        if len(self._levels) == self._n_blocks or n_left <= 0:
            return []
        if not self._levels:
            return [Candidate(cell=cell) for cell in self._space.to_cells(self._one_block_cells()[:n_left])]
        beam = [one.cell for one in with_accuracy(self._levels[-1])]
        children, parents = self._children(beam)
        said = self._surrogate.predictions(trained, children)
        chosen = self._choice.indices(said, trained, min(self._round_size(said), n_left))
        self._predictions = said
        return _candidates(said, chosen, self._space, [beam[parent] for parent in parents[chosen]])

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        level = [Trained(one.cell, out, one.predicted) for one, out in zip(candidates, outcomes, strict=True)]
        n_blocks, n_trained = len(self._levels) + 1, sum(map(len, self._levels)) + len(level)
        # What is left of a budget may be a child or two, which leave the level before to choose from when they fail.
        is_rest = n_blocks > 1 and n_trained >= self._n_models
        if not with_accuracy(level) and not is_rest:
            raise SearchError(
                f"none of the {len(level)} children of {n_blocks} blocks finished training; "
                "see how they failed, and try a lower learning rate"
            )
        self._levels.append(level)

    def best(self) -> tuple[Cell, Outcome] | None:
        """The most accurate cell of the largest size so far, as Algorithm 1 returns it; of equals, the smallest key."""
        level = self._last_level()
        if not level:
            return None
        best = min(
            level,
            key=lambda one: (one.outcome.status != "finished", -one.accuracy, one.cell.key),
        )
        return best.cell, best.outcome

    def front(self) -> ParetoFront | None:
        """The Pareto front of the largest cells so far, those that finished, or else were stopped; None without any.

        Raises:
            SearchError: the search has no costs, or some are not finite.
        """
        if self._costs is None:
            raise SearchError("a search without costs has one best cell and no front: give costs, or ask for the best")
        level = self._last_level()
        if not level:
            return None
        level = [one for one in level if one.outcome.status == "finished"] or level
        cells = [one.cell for one in level]
        accuracies = np.array([one.accuracy for one in level])
        return ParetoFront.of(cells, accuracies, costs_of(self._space.to_array(cells), self._costs))

    def predictions(self) -> Predictions | None:
        """What the predictor said of all children that the round which was asked for last was chosen from."""
        return self._predictions

    def _last_level(self) -> list[Trained]:
        """The largest cells that did not fail."""
        return next(filter(None, map(with_accuracy, reversed(self._levels))), [])

    def _one_block_cells(self) -> NDArray[np.int64]:
        cells = self._space.one_block_cells()
        allowed: NDArray[np.int64] = cells[self._allowed(cells)]
        if not len(allowed):
            raise SearchError(f"none of the {len(cells)} cells of one block is allowed: loosen the limits")
        return allowed

    def _children(self, beam: Sequence[Cell]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All children that are allowed, and for each the index of a parent."""
        children, parents = self._space.expand(beam)
        allowed = self._allowed(children)
        if not allowed.any():
            n_blocks = children.shape[1]
            raise SearchError(
                f"none of the {len(children)} children of {n_blocks} blocks is allowed: loosen the limits, "
                "or search for smaller cells"
            )
        return children[allowed], parents[allowed]

    def _round_size(self, said: Predictions) -> int:
        adapted = None if self._adaptive_beam is None else self._adaptive_beam.size(self._levels[-1], said.mean)
        return self._beam_size if adapted is None else adapted


def _candidates(
    said: Predictions, chosen: NDArray[np.intp], space: CellSpace, parents: Sequence[Cell]
) -> list[Candidate]:
    cells = space.to_cells(said.cells[chosen])
    stds = [None] * len(chosen) if said.std is None else said.std[chosen].tolist()
    return [
        Candidate(cell=cell, parent=parent, predicted=mean, predicted_std=std)
        for cell, parent, mean, std in zip(cells, parents, said.mean[chosen].tolist(), stds, strict=True)
    ]
