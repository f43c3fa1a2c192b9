import numpy as np
import pytest

from pnas_search._strategies._progressive._surrogate import Surrogate
from pnas_search._strategies._progressive._trained import Trained


class Recorder:
    """Predicts 0, and remembers what it was fitted to."""

    def __init__(self, n_blocks):
        self.n_blocks = n_blocks

    def fit(self, X, y):
        self.X, self.y = X, y

    def predict(self, X):
        self.asked = X
        return np.zeros(len(X))


class Recorders(list):
    """Makes recorders, and keeps them."""

    def __call__(self, n_blocks):
        self.append(Recorder(n_blocks))
        return self[-1]


@pytest.fixture
def recorders():
    return Recorders()


@pytest.fixture
def cells(space):
    drawn = [space.to_cells(space.sample(n_blocks, 5, 0)) for n_blocks in (1, 2, 3)]
    return list(dict.fromkeys(cell for same_size in drawn for cell in same_size))


@pytest.fixture
def children(space):
    return space.expand(space.sample(2, 3, 0))[0]


@pytest.fixture
def fitted(space, recorders, children):
    """The scores that a predictor is fitted to, by cell, after a check of their order and of the sequences."""

    def scores(trained, *, priors=(), failed_score="worst"):
        surrogate = Surrogate(space, recorders, priors=priors, failed_score=failed_score)
        surrogate.predictions(trained, children)
        recorder = recorders[-1]
        cells = [space.to_cells(space.decode(tokens[None]))[0] for tokens in recorder.X]
        assert [str(cell) for cell in cells] == sorted(cell.key for cell in cells)
        assert recorder.n_blocks == max(map(len, cells))
        return dict(zip(cells, recorder.y.tolist(), strict=True))

    return scores


def test_it_is_fitted_to_what_was_trained_in_the_order_of_keys_and_says_so_of_all_children(
    space, cells, children, fitted, recorders, accuracy_of, finished
):
    trained = [Trained(cell, finished(accuracy_of(cell)), None) for cell in reversed(cells)]
    assert fitted(trained) == {cell: accuracy_of(cell) for cell in cells}
    assert (recorders[-1].asked == space.encode(children)).all()
    said = Surrogate(space, recorders, priors=(), failed_score="worst").predictions(trained, children)
    assert (said.operations, said.cells is children, said.std) == (("conv", "pool"), True, None)
    assert said.mean.tolist() == [0.0] * len(children)


def test_of_children_that_failed_it_is_told_the_worst_or_nothing(cells, fitted, finished, failed):
    trained = [Trained(cell, finished(0.3 + 0.1 * place), None) for place, cell in enumerate(cells[:4])]
    with_failed = [Trained(cells[4], failed, None), *trained, Trained(cells[5], failed, None)]
    expected = fitted(trained)
    assert fitted(with_failed, failed_score=None) == expected
    assert fitted(with_failed) == expected | {cells[4]: 0.3, cells[5]: 0.3}


def test_what_others_have_measured_is_added_and_what_this_run_has_counts(cells, fitted, finished, failed):
    trained = [Trained(cell, finished(0.1 * place), None) for place, cell in enumerate(cells[:4])]
    own = fitted(trained)
    # On a line with this run's: score = 0.5 * accuracy + 0.2.
    first = {cell: 0.5 * score + 0.2 for cell, score in own.items()} | {cells[6]: 0.6, cells[-1]: 0.35}
    assert fitted(trained, priors=[first]) == pytest.approx(own | {cells[6]: 0.8, cells[-1]: 0.3})
    second = own | {cells[-1]: 0.9, cells[7]: 0.5}
    both = fitted(trained, priors=[first, second])
    assert both == pytest.approx(own | {cells[6]: 0.8, cells[-1]: 0.3, cells[7]: 0.5})
    # A child that failed here has what this run says of it, even where that is nothing.
    with_failed = [*trained, Trained(cells[6], failed, None)]
    assert fitted(with_failed, priors=[first]) == pytest.approx(own | {cells[6]: 0.0, cells[-1]: 0.3})
    assert fitted(with_failed, priors=[first], failed_score=None) == pytest.approx(own | {cells[-1]: 0.3})


def test_what_failed_says_nothing_of_the_scale_of_others(cells, fitted, finished, failed):
    trained = [Trained(cell, finished(0.5 + 0.1 * place), None) for place, cell in enumerate(cells[:3])]
    trained.append(Trained(cells[3], failed, None))
    theirs = dict(zip([*cells[:4], cells[6]], [0.5, 0.6, 0.7, 0.9, 0.8], strict=True))
    assert fitted(trained, priors=[theirs])[cells[6]] == pytest.approx(0.8)
