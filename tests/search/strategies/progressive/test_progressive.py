"""Algorithm 1 and what goes beyond it, against the same thing done by listing everything."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_search import AdaptiveBeam, Candidate, Outcome, Prior, Progressive, SearchError, pareto_front
from pnas_search.testing import StrategySuite
from pnas_searchspace import Cell, CellSpace

Score = Callable[[Cell], float]


class Oracle:
    """Predicts the truth, and remembers what it was fitted to."""

    def __init__(self, space: CellSpace, score: Score, level: int) -> None:
        self.space, self.score, self.level = space, score, level

    def fit(self, X: Sequence[NDArray[np.int64]], y: NDArray[np.float64]) -> None:
        self.X, self.y = [self.cell(tokens) for tokens in X], y

    def predict(self, X: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([self.score(self.cell(tokens)) for tokens in X])

    def cell(self, tokens: NDArray[np.int64]) -> Cell:
        names = self.space.operations
        return Cell((i1 - 2, names[o1], i2 - 2, names[o2]) for i1, o1, i2, o2 in tokens.reshape(-1, 4).tolist())


class Unsure(Oracle):
    """Says also how sure it is: the less, the more convolutions there are."""

    def predict(self, X: NDArray[np.int64], return_std: bool = False) -> Any:
        mean = super().predict(X)
        return (mean, np.array([unsureness(self.cell(tokens)) for tokens in X])) if return_std else mean


class Oracles(list[Oracle]):
    """Makes oracles, and keeps them."""

    def __init__(self, space: CellSpace, score: Score, kind: type[Oracle] = Oracle) -> None:
        self.space, self.score, self.kind = space, score, kind

    def __call__(self, level: int) -> Oracle:
        self.append(self.kind(self.space, self.score, level))
        return self[-1]


def unsureness(cell: Cell) -> float:
    return n_convolutions(cell) / 8


def n_convolutions(cell: Cell) -> int:
    return str(cell).count("conv")


def convolutions_cost(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    return (cells[:, :, 1::2] == 0).sum(axis=(1, 2))[:, None].astype(np.float64)


def few_convolutions(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    allowed: NDArray[np.bool_] = convolutions_cost(cells)[:, 0] < 3
    return allowed


def optimistic(mean: NDArray[np.float64], std: NDArray[np.float64], best: float) -> NDArray[np.float64]:
    return np.maximum(mean + std - best, 0)


@pytest.fixture
def oracles(space: CellSpace, accuracy_of: Score) -> Oracles:
    return Oracles(space, accuracy_of)


@pytest.fixture
def strategy(space: CellSpace, oracles: Oracles) -> Progressive:
    return Progressive(space, n_blocks=3, beam_size=4, make_predictor=oracles)


def rounds(strategy: Progressive, outcome_of: Callable[[Cell], Outcome]) -> Iterator[list[Candidate]]:
    """All rounds of a strategy, each told before the next is asked for."""
    while candidates := strategy.ask():
        strategy.tell(candidates, [outcome_of(candidate.cell) for candidate in candidates])
        yield candidates


def naive_children(beam: Sequence[Cell], space: CellSpace) -> list[Cell]:
    """All children of a beam, in the order of their canonical forms."""
    inputs = range(-space.n_cell_inputs, len(beam[0]))
    blocks = list(itertools.product(inputs, space.operations, inputs, space.operations))
    children = {Cell([*cell, block]) for cell in beam for block in blocks}
    return sorted(children)


def without_one_block(cell: Cell) -> Iterator[Cell]:
    """What a cell may have been before its last block was added."""
    for gone in range(len(cell)):
        kept = [block for index, block in enumerate(cell) if index != gone]
        if not any(gone in (block.input_1, block.input_2) for block in kept):
            yield Cell((i1 - (i1 > gone), o1, i2 - (i2 > gone), o2) for i1, o1, i2, o2 in kept)


def test_the_first_round_is_the_136_cells_of_one_block(oracles: Oracles) -> None:
    first = Progressive(CellSpace(), n_blocks=5, beam_size=256, make_predictor=oracles).ask()
    assert len({candidate.cell.key for candidate in first}) == len(first) == 136
    assert {len(candidate.cell) for candidate in first} == {1}
    assert {(candidate.parent, candidate.predicted) for candidate in first} == {(None, None)}


@pytest.mark.parametrize(
    ("n_blocks", "beam_size", "sizes"),
    [
        (1, 4, [10]),
        (3, 1, [10, 1, 1]),
        (3, 4, [10, 4, 4]),
        # All there are: 10 * 11 / 2 pairs of blocks of which neither reads the other, and 10 * 11 of which one does.
        (2, 1000, [10, 165]),
    ],
)
def test_a_round_is_as_large_as_the_beam_or_as_all_there_are(
    n_blocks: int,
    beam_size: int,
    sizes: list[int],
    space: CellSpace,
    oracles: Oracles,
    accuracy_of: Score,
    finished: Callable[[float], Outcome],
) -> None:
    strategy = Progressive(space, n_blocks=n_blocks, beam_size=beam_size, make_predictor=oracles)
    asked = list(rounds(strategy, lambda cell: finished(accuracy_of(cell))))
    assert [len(candidates) for candidates in asked] == sizes
    assert strategy.ask() == []


def test_children_are_canonical_and_their_parents_with_one_block_more(
    strategy: Progressive, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    asked = list(rounds(strategy, lambda cell: finished(accuracy_of(cell))))
    for beam, children in itertools.pairwise(asked):
        for child in children:
            assert str(child.cell) == child.cell.key
            assert child.parent in [candidate.cell for candidate in beam]
            assert child.parent in without_one_block(child.cell)
            assert child.predicted == accuracy_of(child.cell)


@pytest.mark.parametrize("n_levels", [2**32, 4, 1], ids=["all differ", "many are equal", "all are equal"])
def test_a_perfect_predictor_finds_the_best_children_and_of_equals_the_first_canonical_forms(
    n_levels: int, space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    def score(cell: Cell) -> float:
        return int(accuracy_of(cell) * n_levels) / n_levels

    strategy = Progressive(space, n_blocks=3, beam_size=6, make_predictor=Oracles(space, score))
    asked = [[candidate.cell for candidate in told] for told in rounds(strategy, lambda cell: finished(score(cell)))]
    assert len(asked) == 3
    for beam, children in itertools.pairwise(asked):
        # Python's sort is stable, so that equal scores keep the canonical order.
        assert children == sorted(naive_children(beam, space), key=score, reverse=True)[:6]


def test_asking_twice_gives_the_same(
    strategy: Progressive, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    for _ in range(3):
        candidates = strategy.ask()
        assert strategy.ask() == candidates
        strategy.tell(candidates, [finished(accuracy_of(candidate.cell)) for candidate in candidates])


def test_the_predictor_is_fitted_anew_to_all_levels_so_far_in_the_order_of_keys(
    strategy: Progressive, oracles: Oracles, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    asked = list(rounds(strategy, lambda cell: finished(accuracy_of(cell))))
    assert [oracle.level for oracle in oracles] == [1, 2]
    for oracle in oracles:
        cells = [candidate.cell for level in asked[: oracle.level] for candidate in level]
        assert [cell.key for cell in oracle.X] == sorted(cell.key for cell in cells)
        assert all(str(cell) == cell.key for cell in oracle.X)
        assert oracle.y.tolist() == [accuracy_of(cell) for cell in oracle.X]


def test_failed_children_have_no_children_and_count_as_the_worst(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    def outcome_of(cell: Cell) -> Outcome:
        return failed if accuracy_of(cell) > 0.5 else finished(accuracy_of(cell))

    oracles = Oracles(space, accuracy_of)
    strategy = Progressive(space, n_blocks=2, beam_size=1000, make_predictor=oracles)
    first, second = ([candidate.cell for candidate in asked] for asked in rounds(strategy, outcome_of))
    survivors = [cell for cell in first if accuracy_of(cell) <= 0.5]
    assert 0 < len(survivors) < len(first)
    assert set(second) == set(naive_children(survivors, space))
    worst = min(map(accuracy_of, survivors))
    expected = [accuracy_of(cell) if cell in survivors else worst for cell in oracles[0].X]
    assert oracles[0].y.tolist() == expected


def test_a_round_in_which_nothing_finished_ends_the_search_with_a_word(
    strategy: Progressive, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    first = strategy.ask()
    strategy.tell(first, [finished(0.5)] * len(first))
    second = strategy.ask()
    with pytest.raises(SearchError, match="none of the 4 children of 2 blocks finished training"):
        strategy.tell(second, [failed] * len(second))


def test_a_first_level_that_is_the_whole_budget_may_not_fail(
    space: CellSpace, accuracy_of: Score, failed: Outcome
) -> None:
    strategy = Progressive(space, n_blocks=2, beam_size=4, make_predictor=Oracles(space, accuracy_of), n_models=3)
    with pytest.raises(SearchError, match="none of the 3 children of 1 blocks finished training"):
        strategy.tell(strategy.ask(), [failed] * 3)


def test_the_rest_of_a_budget_may_fail_and_leaves_the_level_before(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    def costs(cells: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.ones((len(cells), 1))

    strategy = Progressive(
        space, n_blocks=3, beam_size=4, make_predictor=Oracles(space, accuracy_of), costs=costs, n_models=12
    )
    first = strategy.ask()
    strategy.tell(first, [finished(accuracy_of(candidate.cell)) for candidate in first])
    before, front = strategy.best(), strategy.front()
    rest = strategy.ask()
    strategy.tell(rest, [failed] * 2)
    assert strategy.ask() == []
    assert strategy.best() == before is not None
    assert front is not None
    assert strategy.front().cells == front.cells  # type: ignore[union-attr]


def test_a_child_that_was_stopped_has_children_and_comes_after_those_that_finished(
    strategy: Progressive, accuracy_of: Score, finished: Callable[[float], Outcome], space: CellSpace
) -> None:
    def stopped(accuracy: float) -> Outcome:
        return dataclasses.replace(finished(accuracy), status="stopped")

    first = strategy.ask()
    strategy.tell(first, [stopped(0.9), finished(0.5), *(stopped(0.4) for _ in first[2:])])
    assert strategy.best() == (first[1].cell, finished(0.5))
    second = strategy.ask()
    assert {candidate.parent for candidate in second} & {candidate.cell for candidate in first if candidate != first[1]}
    strategy.tell(second, [stopped(0.1), stopped(0.2), *(stopped(0.1) for _ in second[2:])])
    assert strategy.best() == (second[1].cell, stopped(0.2))


def test_the_best_cell_is_the_best_of_the_largest_size_even_when_a_smaller_one_was_better(
    strategy: Progressive, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    def outcome_of(cell: Cell) -> Outcome:
        return finished(accuracy_of(cell) / len(cell) ** 3)

    assert strategy.best() is None
    for asked in rounds(strategy, outcome_of):
        best = max((candidate.cell for candidate in asked), key=accuracy_of)
        assert strategy.best() == (best, outcome_of(best))


def test_of_equally_good_cells_the_smallest_key_is_the_best(
    strategy: Progressive, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    first = strategy.ask()
    keys = sorted(candidate.cell.key for candidate in first)
    assert [candidate.cell.key for candidate in first] != keys
    # The very smallest failed, and the next two are equal.
    outcomes = {keys[0]: failed, keys[1]: finished(0.75), keys[2]: finished(0.75)}
    strategy.tell(first, [outcomes.get(candidate.cell.key, finished(0.5)) for candidate in first])
    cell, outcome = strategy.best()
    assert (cell.key, outcome) == (keys[1], finished(0.75))


@pytest.mark.parametrize("name", ["n_blocks", "beam_size", "n_models"])
def test_sizes_are_positive(name: str, space: CellSpace, oracles: Oracles) -> None:
    sizes = {"n_blocks": 1, "beam_size": 1, "n_models": 1, name: 0}
    with pytest.raises(SearchError, match=f"{name} must be 1 or more, not 0"):
        Progressive(space, **sizes, make_predictor=oracles)


BEYOND: dict[str, dict[str, Any]] = {
    "acquisition": {"acquisition": optimistic},
    "adaptive beam": {"adaptive_beam": AdaptiveBeam(smallest=2, largest=30)},
    "exploration": {"exploration": 0.5},
    "limits": {"allowed": few_convolutions},
    "costs": {"costs": convolutions_cost},
    "prior": {"prior": [Prior(cells=[Cell([(-1, "conv", -1, "pool")])], accuracies=[0.9])]},
    "failures": {"failed_score": None},
    "budget": {"n_models": 19},
}
BEYOND["everything"] = {name: value for settings in BEYOND.values() for name, value in settings.items()}


class Shares:
    """Predicts the share of the first operation, and is less sure of larger shares."""

    def fit(self, X: Sequence[NDArray[np.int64]], y: NDArray[np.float64]) -> None:
        self.mean = y.mean()

    def predict(self, X: NDArray[np.int64], return_std: bool = False) -> Any:
        share = (X[:, 1::2] == 0).mean(axis=1) - self.mean
        return (share, share - share.min()) if return_std else share


def reads_previous(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    allowed: NDArray[np.bool_] = (cells[:, :, 0::2] == -1).any(axis=(1, 2))
    return allowed


class TestBeyondThePaper(StrategySuite):
    n_models = 150
    round_size = 136
    is_seeded = False

    def make(self, space: CellSpace, seed: int) -> Progressive:
        settings = BEYOND["everything"] | {"allowed": reads_previous, "n_models": self.n_models}
        return Progressive(space, n_blocks=3, beam_size=8, make_predictor=lambda _: Shares(), **settings)


@pytest.mark.parametrize("name", list(BEYOND))
def test_a_new_strategy_that_is_told_the_rounds_goes_on_as_one_that_asked_for_them(
    name: str, space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    def score(cell: Cell) -> float:  # so that there are errors
        return accuracy_of(cell) ** 2

    def new() -> Progressive:
        return Progressive(space, n_blocks=3, beam_size=6, make_predictor=Oracles(space, score, Unsure), **BEYOND[name])

    strategy, told = new(), []
    while True:
        resumed = new()
        for candidates, outcomes in told:
            resumed.tell(candidates, outcomes)
        candidates = strategy.ask()
        assert resumed.ask() == candidates == strategy.ask()
        assert resumed.best() == strategy.best()
        if not candidates:
            break
        outcomes = [finished(accuracy_of(one.cell)) for one in candidates]
        outcomes[-1] = failed
        told.append((candidates, outcomes))
        strategy.tell(candidates, outcomes)
    assert len(told) > 1


def test_an_acquisition_decides_and_predictions_stay_what_is_expected(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    strategy = Progressive(
        space, n_blocks=3, beam_size=12, make_predictor=Oracles(space, accuracy_of, Unsure), acquisition=optimistic
    )
    beam, best = [], 0.0
    for asked in rounds(strategy, lambda cell: finished(accuracy_of(cell))):
        if beam:

            def worth(cell: Cell, best: float = best) -> float:
                return max(accuracy_of(cell) + unsureness(cell) - best, 0)

            expected = sorted(naive_children(beam, space), key=worth, reverse=True)
            assert [one.cell for one in asked] == expected[:12] != sorted(expected, key=accuracy_of)[-12:][::-1]
            assert {(accuracy_of(one.cell), unsureness(one.cell)) for one in asked} == {
                (one.predicted, one.predicted_std) for one in asked
            }
        beam = [one.cell for one in asked]
        best = max(best, *map(accuracy_of, beam))


def test_an_acquisition_without_a_predictor_that_says_how_sure_it_is_is_refused_before_anything_is_trained(
    space: CellSpace, oracles: Oracles
) -> None:
    with pytest.raises(SearchError, match="this one's predict takes no return_std: give a predictor that says"):
        Progressive(space, n_blocks=2, beam_size=4, make_predictor=oracles, acquisition=optimistic)


@pytest.mark.parametrize("kind", [Oracle, Unsure])
def test_predictions_are_of_all_children_of_the_round_that_was_asked_for_last(
    kind: type[Oracle], space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    strategy = Progressive(space, n_blocks=3, beam_size=4, make_predictor=Oracles(space, accuracy_of, kind))
    assert strategy.predictions() is None
    beam: list[Cell] = []
    while candidates := strategy.ask():
        said = strategy.predictions()
        if beam:
            assert said is not None
            cells = space.to_cells(said.cells)
            assert (cells, said.operations) == (naive_children(beam, space), ("conv", "pool"))
            assert all(str(cell) == cell.key for cell in cells)
            assert said.mean.tolist() == [accuracy_of(cell) for cell in cells]
            stds = None if said.std is None else said.std.tolist()
            assert stds == (None if kind is Oracle else [unsureness(cell) for cell in cells])
            assert {one.predicted_std is None for one in candidates} == {kind is Oracle}
        else:
            assert said is None
        beam = [one.cell for one in candidates]
        strategy.tell(candidates, [finished(accuracy_of(cell)) for cell in beam])
    assert strategy.predictions() is None


def test_a_beam_adapts_to_the_errors_of_the_level_before_from_the_third_level_on(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    def asked(score: Score) -> list[list[Candidate]]:
        beam = AdaptiveBeam(smallest=2, largest=60, n_errors=2)
        oracles = Oracles(space, score)
        strategy = Progressive(space, n_blocks=4, beam_size=20, make_predictor=oracles, adaptive_beam=beam)
        return list(rounds(strategy, lambda cell: finished(accuracy_of(cell))))

    def wrong(cell: Cell) -> float:
        return accuracy_of(cell) + (1000 * accuracy_of(cell)) % 1 / 20 - 7

    assert [len(level) for level in asked(accuracy_of)] == [10, 20, 2, 2]
    assert [len(level) for level in asked(lambda _: 0.5)] == [10, 20, 60, 60]
    _, *predicted = asked(wrong)
    for last, level in itertools.pairwise(predicted):
        reach = 2 * np.std([accuracy_of(one.cell) - wrong(one.cell) for one in last])
        means = [wrong(cell) for cell in naive_children([one.cell for one in last], space)]
        assert len(level) == sum(max(means) - mean < reach for mean in means)
        assert 2 < len(level) < 60


def test_exploration_tries_the_operations_and_inputs_that_the_beam_leaves_out(
    space: CellSpace, finished: Callable[[float], Outcome]
) -> None:
    def score(cell: Cell) -> float:
        return (str(cell).count("pool") + str(cell).count("@-1")) / 16

    def trained_pairs(exploration: float) -> set[tuple[int, str]]:
        strategy = Progressive(
            space, n_blocks=3, beam_size=8, make_predictor=Oracles(space, score), exploration=exploration
        )
        cells = [one.cell for level in rounds(strategy, lambda cell: finished(score(cell))) for one in level]
        assert len(cells) == len(set(cells)) == 10 + 8 + 8
        return {(block[side], block[side + 1]) for cell in cells for block in cell for side in (0, 2)}

    everything = set(itertools.product((-2, -1, 0, 1), space.operations))
    assert everything - trained_pairs(0) == {(0, "conv"), (1, "conv"), (1, "pool")}
    assert trained_pairs(0.25) == everything


def test_cells_that_are_not_allowed_are_neither_trained_nor_predicted(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    strategy = Progressive(
        space, n_blocks=3, beam_size=6, make_predictor=Oracles(space, accuracy_of), allowed=few_convolutions
    )
    beam: list[Cell] = []
    for asked in rounds(strategy, lambda cell: finished(accuracy_of(cell))):
        children = [one.cell for one in asked]
        if beam:
            allowed = [cell for cell in naive_children(beam, space) if n_convolutions(cell) < 3]
            assert children == sorted(allowed, key=accuracy_of, reverse=True)[:6]
            assert (said := strategy.predictions()) is not None
            assert space.to_cells(said.cells) == allowed
            assert all(one.parent in without_one_block(one.cell) for one in asked)
        beam = children
    assert len(beam[0]) == 3


def test_where_no_cell_is_allowed_a_sentence_says_so(
    space: CellSpace, oracles: Oracles, finished: Callable[[float], Outcome]
) -> None:
    settings: dict[str, Any] = {"n_blocks": 3, "beam_size": 6, "make_predictor": oracles}
    nothing = Progressive(space, **settings, allowed=lambda cells: np.zeros(len(cells), dtype=np.bool_))
    with pytest.raises(SearchError, match="none of the 10 cells of one block is allowed: loosen the limits"):
        nothing.ask()
    small = Progressive(space, **settings, allowed=lambda cells: np.full(len(cells), cells.shape[1] == 1))
    first = small.ask()
    assert len(first) == 10
    small.tell(first, [finished(0.5)] * 10)
    with pytest.raises(SearchError, match="none of the 165 children of 2 blocks is allowed: loosen the limits"):
        small.ask()
    assert oracles == []


def test_one_block_cells_that_are_not_allowed_are_left_out_of_the_first_round(
    space: CellSpace, oracles: Oracles
) -> None:
    first = Progressive(
        space, n_blocks=1, beam_size=1, make_predictor=oracles, allowed=lambda cells: convolutions_cost(cells)[:, 0] < 1
    ).ask()
    assert [one.cell for one in first] == [
        cell for cell in space.to_cells(space.one_block_cells()) if not n_convolutions(cell)
    ]
    assert len(first) == 3


def naive_front(cells: Sequence[Cell], accuracy_of: Score) -> list[Cell]:
    """What no other cell beats in accuracy and in convolutions."""
    values = {cell: (accuracy_of(cell), -n_convolutions(cell)) for cell in cells}
    return [
        cell
        for cell, (accuracy, cost) in values.items()
        if not any(a >= accuracy and c >= cost and (a, c) != (accuracy, cost) for a, c in values.values())
    ]


def test_with_costs_a_round_is_the_first_fronts_and_the_best_is_still_the_most_accurate(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    strategy = Progressive(
        space, n_blocks=2, beam_size=9, make_predictor=Oracles(space, accuracy_of), costs=convolutions_cost
    )
    assert strategy.front() is None
    first, second = (
        [one.cell for one in asked] for asked in rounds(strategy, lambda cell: finished(accuracy_of(cell)))
    )
    left = naive_children(first, space)
    whole: list[Cell] = []
    while len(whole) < 9:
        front = naive_front(left, accuracy_of)
        rest = [cell for cell in left if cell not in front]
        whole, left, before = whole + sorted(front, key=accuracy_of, reverse=True), rest, len(whole)
    assert second[:before] == whole[:before]
    assert set(second[before:]) <= set(whole[before:])
    assert strategy.best() == (best := max(second, key=accuracy_of), finished(accuracy_of(best)))
    trained = strategy.front()
    assert trained is not None
    assert list(trained.cells) == sorted(naive_front(second, accuracy_of), key=accuracy_of, reverse=True)
    assert trained.accuracies.tolist() == [accuracy_of(cell) for cell in trained.cells]
    assert trained.costs.tolist() == [[n_convolutions(cell)] for cell in trained.cells]
    assert pareto_front(np.column_stack([trained.accuracies, -trained.costs])).all()


def test_a_front_is_of_those_that_finished_or_else_were_stopped(
    space: CellSpace, oracles: Oracles, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    def front(*outcomes: Outcome) -> list[Cell]:
        strategy = Progressive(space, n_blocks=1, beam_size=1, make_predictor=oracles, costs=convolutions_cost)
        strategy.tell([Candidate(cell=cell) for cell in ones], outcomes)
        found = strategy.front()
        assert found is not None
        return list(found.cells)

    ones = [Cell([(-1, one, -1, other)]) for one, other in (("pool", "pool"), ("conv", "pool"), ("conv", "conv"))]
    stopped = dataclasses.replace(finished(0.9), status="stopped")
    assert front(failed, stopped, stopped) == [ones[1]]
    assert front(failed, stopped, finished(0.5)) == [ones[2]]
    assert front(finished(0.2), finished(0.6), finished(0.7)) == ones[::-1]


def test_a_search_without_costs_has_no_front(strategy: Progressive) -> None:
    with pytest.raises(SearchError, match="a search without costs has one best cell and no front: give costs"):
        strategy.front()


def test_what_others_have_measured_is_fitted_on_the_scale_of_this_search_in_the_order_of_keys(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome]
) -> None:
    oracles = Oracles(space, accuracy_of)
    ones, twos = (space.to_cells(space.sample(n_blocks, 8, 0)) for n_blocks in (1, 2))
    others = list(dict.fromkeys([*ones, *twos]))
    outside = [Cell([(-1, "norm", -1, "norm")]), Cell([(-1, "pool", -1, "pool")] * 3)]
    prior = Prior(cells=[*others, *outside], accuracies=[accuracy_of(cell) / 3 + 5 for cell in others] + [9.0, 9.0])
    strategy = Progressive(space, n_blocks=2, beam_size=4, make_predictor=oracles, prior=[prior])
    first, _ = rounds(strategy, lambda cell: finished(accuracy_of(cell)))
    (oracle,) = oracles
    assert oracle.level == 2
    assert [cell.key for cell in oracle.X] == sorted({one.cell.key for one in first} | {cell.key for cell in others})
    assert oracle.y.tolist() == pytest.approx([accuracy_of(cell) for cell in oracle.X])


def test_children_that_failed_can_be_left_out_of_the_fit(
    space: CellSpace, accuracy_of: Score, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    def outcome_of(cell: Cell) -> Outcome:
        return failed if accuracy_of(cell) > 0.5 else finished(accuracy_of(cell))

    oracles = Oracles(space, accuracy_of)
    strategy = Progressive(space, n_blocks=2, beam_size=4, make_predictor=oracles, failed_score=None)
    first = strategy.ask()
    strategy.tell(first, [outcome_of(one.cell) for one in first])
    strategy.ask()
    survivors = {one.cell for one in first if accuracy_of(one.cell) <= 0.5}
    assert 0 < len(survivors) < 10
    assert set(oracles[0].X) == survivors
    assert oracles[0].y.tolist() == [accuracy_of(cell) for cell in oracles[0].X]


@pytest.mark.parametrize(
    ("n_models", "sizes"), [(7, [7]), (10, [10]), (12, [10, 2]), (14, [10, 4]), (15, [10, 4, 1]), (99, [10, 4, 4])]
)
def test_no_more_children_are_trained_than_the_budget_allows(
    n_models: int,
    sizes: list[int],
    space: CellSpace,
    oracles: Oracles,
    accuracy_of: Score,
    finished: Callable[[float], Outcome],
) -> None:
    settings: dict[str, Any] = {"n_blocks": 3, "beam_size": 4, "make_predictor": oracles}
    asked = list(rounds(Progressive(space, **settings, n_models=n_models), lambda cell: finished(accuracy_of(cell))))
    whole = list(rounds(Progressive(space, **settings), lambda cell: finished(accuracy_of(cell))))
    assert [len(level) for level in asked] == sizes
    assert asked == [level[: len(part)] for level, part in zip(whole, asked, strict=False)]
