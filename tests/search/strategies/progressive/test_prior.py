import numpy as np
import pytest

from pnas_search import Prior, SearchError
from pnas_search._strategies._progressive._prior import mapped
from pnas_searchspace import Cell, CellSpace


@pytest.fixture
def ones(space):
    return space.to_cells(space.one_block_cells())


@pytest.fixture
def twos(space):
    return space.to_cells(space.sample(2, 200, 0))[:12]


def scored(cells, scores):
    return dict(zip(cells, scores, strict=True))


def test_scores_on_another_scale_come_back_on_this_one(ones, twos):
    truth = scored([*ones, *twos], np.random.default_rng(0).random(len(ones) + len(twos)))
    theirs = {cell: (score - 0.3) / 1.7 for cell, score in truth.items()}
    back = mapped(theirs, {cell: truth[cell] for cell in ones[:3]})
    assert back == pytest.approx(truth)


def test_the_line_is_that_of_least_squares(ones, twos):
    rng = np.random.default_rng(1)
    x, y = rng.random(len(ones)), rng.random(len(ones))
    slope, offset = np.polyfit(x, y, 1)
    if slope < 0:
        x, slope, offset = -x, -slope, offset
    back = mapped(scored(ones, x) | {twos[0]: 0.4}, scored(ones, y) | {twos[1]: 0.9})
    assert back[twos[0]] == pytest.approx(offset + slope * 0.4)
    assert list(back) == [*ones, twos[0]]


def test_a_line_that_would_fall_is_level(ones, twos):
    back = mapped(scored(ones[:4], [0.1, 0.2, 0.3, 0.4]) | {twos[0]: 7.0}, scored(ones[:4], [0.8, 0.6, 0.4, 0.2]))
    assert list(back.values()) == pytest.approx([0.5] * 5)


@pytest.mark.parametrize("n_common", [0, 1, 2])
def test_with_few_cells_in_common_mean_and_spread_of_their_smallest_size_are_matched(ones, twos, n_common):
    theirs = scored(ones[: n_common + 3], np.arange(n_common + 3.0)) | {twos[0]: 100.0}
    ours = scored([*ones[:n_common], *ones[n_common + 3 :]], np.linspace(0.2, 0.9, 7)) | {twos[1]: 0.0}
    back = mapped(theirs, ours)
    small = np.array([score for cell, score in back.items() if len(cell) == 1])
    of_ours = np.linspace(0.2, 0.9, 7)
    assert (small.mean(), small.std()) == pytest.approx((of_ours.mean(), of_ours.std()))
    x = np.arange(n_common + 3.0)
    assert back[twos[0]] == pytest.approx(of_ours.mean() + of_ours.std() / x.std() * (100 - x.mean()))


def test_the_smallest_size_that_both_have_trained_decides(ones, twos):
    theirs = scored(twos[:3], [1.0, 2.0, 3.0])
    ours = scored(ones, np.linspace(0, 0.1, len(ones))) | scored(twos[3:6], [0.5, 0.6, 0.7])
    assert list(mapped(theirs, ours).values()) == pytest.approx([0.5, 0.6, 0.7])


def test_where_all_are_equal_only_the_mean_is_matched(ones, twos):
    equal = scored(ones[:5], [0.5] * 5) | {twos[0]: 0.75}
    assert mapped(equal, scored(ones[:5], [0.1, 0.2, 0.3, 0.4, 0.5]))[twos[0]] == pytest.approx(0.3 + 0.25)
    assert mapped({ones[0]: 0.1, ones[1]: 0.5}, {ones[2]: 0.9}) == pytest.approx({ones[0]: 0.7, ones[1]: 1.1})


def test_without_a_size_in_common_nothing_is_known_of_the_scale(ones, twos):
    assert mapped(scored(twos, [0.5] * 12), scored(ones, [0.4] * 10)) == {}
    assert mapped({}, scored(ones, [0.4] * 10)) == {}


def test_cells_that_the_search_could_not_train_are_left_out(ones, twos):
    other = Cell([(-1, "conv", -1, "norm")])
    far = Cell([(-3, "conv", -1, "conv")])
    three = Cell([(-1, "conv", -1, "conv"), (0, "conv", -1, "conv"), (1, "conv", -1, "conv")])
    prior = Prior(cells=[other, far, ones[0], three, twos[0]], accuracies=[1, 2, 3, 4, 5])
    small = CellSpace(("conv", "pool"))
    assert prior.of_space(small, 2) == {ones[0]: 3.0, twos[0]: 5.0}
    assert prior.of_space(small, 3) == {ones[0]: 3.0, three: 4.0, twos[0]: 5.0}
    assert list(prior.of_space(CellSpace(("conv", "pool", "norm"), 3), 3).values()) == [1, 2, 3, 4, 5]


def test_what_is_no_prior_is_refused(ones):
    with pytest.raises(SearchError, match="for every cell, and this one has 1 accuracies of 2 cells"):
        Prior(cells=ones[:2], accuracies=[0.5])
    with pytest.raises(SearchError, match="needs a finite accuracy for every cell"):
        Prior(cells=ones[:2], accuracies=[0.5, float("nan")])
    twice = Cell([(-1, "pool", -2, "conv")]), Cell([(-2, "conv", -1, "pool")])
    with pytest.raises(SearchError, match=r"every cell once, and this one has conv@-2\+pool@-1 twice"):
        Prior(cells=[ones[0], *twice], accuracies=[0.1, 0.5, 0.5])
