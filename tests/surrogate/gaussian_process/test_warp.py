import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import skew
from sklearn.preprocessing import PowerTransformer

from pnas_surrogate._gaussian_process._warp import Warp

SCORES = st.lists(st.floats(-1e6, 1e6).map(lambda score: round(score, 3)), min_size=2, max_size=20).map(np.array)


def law(name, n=200):
    rng = np.random.default_rng(0)
    draws = {
        "normal": rng.normal(size=n),
        "many bad ones": -rng.lognormal(sigma=1.5, size=n),
        "many good ones": rng.lognormal(sigma=1.5, size=n),
        "five": rng.normal(size=5),
        "two": np.array([0.3, 0.7]),
        "narrow": 0.7 + 1e-12 * rng.normal(size=n),
        "far": 1e9 + rng.normal(size=n),
        "narrow and far": 1e9 + 1e-6 * rng.normal(size=n),
        "tiny": 1e-140 * rng.normal(size=n),
        "huge": 1e150 * rng.normal(size=n),
        "two bad ones": np.append(np.zeros(20_000), [-1, -2]),
        "two good ones": np.append(np.zeros(20_000), [1, 2]),
    }
    return draws[name]


NAMES = ["normal", "many bad ones", "many good ones", "five", "two", "narrow", "far", "narrow and far", "tiny", "huge"]
NAMES += ["two bad ones", "two good ones"]


@pytest.mark.parametrize("name", NAMES)
def test_scores_get_mean_0_and_variance_1_and_come_back(name):
    y = law(name)
    warp = Warp.of(y)
    scores = warp.apply(y)
    assert scores.mean() == pytest.approx(0, abs=1e-9)
    assert scores.std() == pytest.approx(1)
    np.testing.assert_allclose(warp.undo(scores), y, rtol=0, atol=1e-4 * np.ptp(y))


@given(SCORES)
def test_any_scores_come_back_in_their_order(y):
    warp = Warp.of(y)
    scores = warp.apply(y)
    np.testing.assert_allclose(warp.undo(scores), y, rtol=0, atol=1e-6 * np.ptp(y) + 1e-9 * np.abs(y).max())
    assert (np.diff(scores[np.argsort(y, kind="stable")]) >= 0).all()


@given(SCORES, st.floats(0.01, 3))
def test_back_is_the_same_way_up_everywhere(y, step):
    warp = Warp.of(y)
    grid = np.arange(-30, 30, step)
    assert (np.diff(warp.undo(grid)) >= 0).all()
    assert (warp.undo_std(grid, np.full(len(grid), step)) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_beyond_the_ends_it_is_a_straight_line_as_steep_as_that_between_them(name):
    y = law(name)
    warp = Warp.of(y)
    low, high = warp.apply(np.array([y.min(), y.max()]))
    steps = np.array([0.0, 0.1, 1.0, 10.0])
    expected = np.ptp(y) / (high - low) * steps
    rounding = 1e-6 * np.ptp(y) + 1e-15 * np.abs(y).max()
    np.testing.assert_allclose(warp.undo(high + steps) - y.max(), expected, rtol=1e-6, atol=rounding)
    np.testing.assert_allclose(y.min() - warp.undo(low - steps), expected, rtol=1e-6, atol=rounding)


@pytest.mark.parametrize("name", ["normal", "many bad ones", "many good ones", "five"])
@pytest.mark.parametrize(("factor", "origin"), [(1e-6, 0.0), (37.0, -5.0), (1e6, 1e7)])
def test_another_unit_or_origin_of_the_scores_makes_no_difference(name, factor, origin):
    y, grid = law(name), np.linspace(-9, 9, 50)
    warp, other = Warp.of(y), Warp.of(factor * y + origin)
    np.testing.assert_allclose(other.apply(factor * y + origin), warp.apply(y), atol=1e-3)
    np.testing.assert_allclose((other.undo(grid) - origin) / factor, warp.undo(grid), atol=1e-3 * np.ptp(y))


@pytest.mark.parametrize("constant", [0.0, 0.1, -3.0, 1e9])
@pytest.mark.parametrize("n", [1, 2, 49])
def test_a_constant_is_0_and_comes_back(constant, n):
    warp = Warp.of(np.full(n, constant))
    np.testing.assert_array_equal(warp.apply(np.full(n, constant)), 0)
    np.testing.assert_array_equal(warp.undo(np.zeros(n)), constant)
    np.testing.assert_allclose(warp.undo(np.array([-2.0, 3.0])), [constant - 2, constant + 3])


def test_scores_whose_differences_have_no_square_are_a_constant():
    y = np.array([0.0, 1e-200, 3e-200])
    warp = Warp.of(y)
    np.testing.assert_allclose(warp.apply(y), 0, atol=1e-150)
    np.testing.assert_allclose(warp.undo(np.array([-1.0, 0.0, 2.0])), [-1, 0, 2], atol=1e-150)


def test_scores_with_a_heavy_tail_become_about_as_normal_as_scikit_learn_makes_them():
    for name in ("many bad ones", "many good ones"):
        y = law(name)
        theirs = PowerTransformer().fit_transform(((y - np.median(y)) / y.std())[:, None])
        assert abs(skew(y)) > 2
        assert abs(skew(Warp.of(y).apply(y))) < max(0.5, 1.2 * abs(skew(theirs[:, 0])))


def test_normal_scores_stay_as_they_are():
    y = law("normal", n=5000)
    warp = Warp.of(y)
    assert warp.power == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(warp.apply(y), (y - y.mean()) / y.std(), atol=0.1)


@pytest.mark.parametrize("y", [[0.3, 0.7], [-5.0, -4.0, 0.0, 4.0, 5.0]])
def test_scores_that_are_symmetric_stay_so(y):
    assert Warp.of(np.array(y)).power == pytest.approx(1, abs=1e-3)


def test_few_scores_leave_the_power_near_1():
    y = -np.array([0.1, 0.2, 0.3, 0.5, 1.5])
    assert 1 < Warp.of(y).power < Warp.of(np.repeat(y, 20)).power - 0.1


@pytest.mark.parametrize("power", [-9.5, -1.0, -1e-9, 0.0, 0.5, 1.0, 2.0, 2 + 1e-9, 3.5, 10.0])
def test_both_ways_are_those_of_scikit_learn(power):
    theirs = PowerTransformer(standardize=False).fit(np.linspace(-1, 1, 9)[:, None])
    theirs.lambdas_ = np.array([power])
    warp = Warp(center=0.0, reach=4.0, spread=1.0, power=power, mean=0.0, std=1.0, worst=-4.0, best=4.0)
    x = np.linspace(-3.9, 3.9, 41)
    warped = theirs.transform(x[:, None])
    np.testing.assert_allclose(warp.apply(x), warped[:, 0], rtol=1e-7)
    np.testing.assert_allclose(warp.undo(warped[:, 0]), theirs.inverse_transform(warped)[:, 0], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", ["normal", "many bad ones", "many good ones"])
def test_small_deviations_are_multiplied_by_the_slope(name):
    y = law(name)
    warp = Warp.of(y)
    inner = np.sort(y)[1:-1]
    inner = inner[np.abs(inner - warp.center) < warp.reach]
    x = (inner - warp.center) / warp.spread
    slope = warp.spread * warp.std * (1 + np.abs(x)) ** (np.sign(x) * (1 - warp.power))
    deviations = warp.undo_std(warp.apply(inner), np.full(len(inner), 1e-6))
    np.testing.assert_allclose(deviations / 1e-6, slope, rtol=1e-3)


def test_a_deviation_is_half_of_what_lies_between_its_ends():
    warp = Warp.of(law("many bad ones"))
    z, std = np.array([-8.0, -0.5, 0.0, 9.0]), np.array([0.5, 2.0, 0.0, 4.0])
    expected = [(warp.undo(a + b) - warp.undo(a - b)) / 2 for a, b in zip(z, std, strict=True)]
    np.testing.assert_allclose(warp.undo_std(z, std), expected)
    assert warp.undo_std(z, std)[2] == 0


def test_what_its_array_restores_is_equal_to_it():
    warp = Warp.of(law("many bad ones"))
    assert Warp.from_array(warp.to_array()) == warp


def test_scores_far_out_end_between_the_reach_and_its_double_in_their_order():
    y = np.array([0.0, 1.0, 2.0, 3.0, 4.0, -8.0, -9.0, -1e3, -1e6, 13.0])
    warp = Warp.of(y)
    near = np.abs(y - warp.center) <= warp.reach
    assert near.tolist() == [True] * 5 + [True, True, False, False, True]
    same = Warp.of(np.where(near, y, -1e9 - np.arange(10)))
    assert same.reach == warp.reach
    order = np.argsort(y)
    assert (np.diff(warp.apply(y)[order]) > 0).all()
    np.testing.assert_allclose(warp.undo(warp.apply(y)), y, rtol=1e-6, atol=1e-9)
    assert warp.apply(y).min() > -4


@pytest.mark.parametrize("failure", [-1e6, -1e30, -1e99])
def test_what_stands_for_a_failure_hardly_matters(failure):
    y = law("normal")
    y[0] = -50
    expected = Warp.of(y).apply(y)
    y[0] = failure
    np.testing.assert_allclose(Warp.of(y).apply(y), expected, atol=0.3)
