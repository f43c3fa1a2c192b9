"""Algorithm 1, against the same thing done by listing everything."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_search import Candidate, Outcome, Progressive, SearchError
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


class Oracles(list[Oracle]):
    """Makes oracles, and keeps them."""

    def __init__(self, space: CellSpace, score: Score) -> None:
        self.space, self.score = space, score

    def __call__(self, level: int) -> Oracle:
        self.append(Oracle(self.space, self.score, level))
        return self[-1]


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


@pytest.mark.parametrize("name", ["n_blocks", "beam_size"])
def test_sizes_are_positive(name: str, space: CellSpace, oracles: Oracles) -> None:
    sizes = {"n_blocks": 1, "beam_size": 1, name: 0}
    with pytest.raises(SearchError, match=f"{name} must be 1 or more, not 0"):
        Progressive(space, **sizes, make_predictor=oracles)
