import pickle

import numpy as np
import pytest

from pnas_surrogate import SequenceSpec, SurrogateError
from pnas_surrogate._gaussian_process import _features
from pnas_surrogate._gaussian_process._features import Columns, features
from pnas_surrogate._sequences import pack

KERNELS = ["string", "groups", "both"]


@pytest.fixture
def passes():
    return SequenceSpec(kinds=("pass",), vocabulary={"pass": 4})


def unscaled(columns, tokens, zero):
    """What the columns are of, but for their scale, less that of one sequence."""
    return columns(tokens) - columns(zero)


def collinear(values, expected):
    """Whether one is the other times a positive number."""
    values, expected = np.asarray(values), np.asarray(expected, dtype=float)
    np.testing.assert_allclose(values / np.linalg.norm(values), expected / np.linalg.norm(expected), atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_samples_are_centered_and_at_distance_1_on_average(spec, draw_ragged, kernel):
    samples = draw_ragged(50, 0)
    for columns in features(samples, spec, kernel):
        values = columns(samples)
        np.testing.assert_allclose(values.mean(0), 0, atol=1e-12)
        assert (values**2).sum(1).mean() == pytest.approx(1)


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_all_samples_share_is_0_and_finite_elsewhere(spec, draw_ragged, kernel):
    for columns in features(pack([[0, 7, 5, 0]] * 3, spec), spec, kernel):
        np.testing.assert_array_equal(columns(pack([[0, 7, 5, 0]], spec)), 0)
        assert np.isfinite(columns(draw_ragged(9, 0))).all()


@pytest.mark.parametrize("n_samples", [3, 10, 41])
def test_a_mean_that_is_rounded_is_no_spread(passes, n_samples):
    for columns in features(pack([[1, 1, 2]] * n_samples, passes), passes, "both"):
        np.testing.assert_allclose(columns(pack([[1, 1, 2]], passes)), 0, atol=1e-12)


def test_a_space_of_one_sequence_of_every_length_has_its_length_and_places_alone():
    single = SequenceSpec(kinds=("token",), vocabulary={"token": 1})
    tokens = pack([[0], [0] * 2, [0] * 4], single)
    for columns in features(tokens, single, "both"):
        assert np.isfinite(columns(tokens)).all()
    length, sizes, kinds, *_ = features(tokens, single, "both")
    collinear(length(tokens)[:, 0], [-1, 0, 1])
    for columns in (sizes, kinds):
        np.testing.assert_array_equal(columns(tokens), 0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_sequences_among_longer_ones_have_what_each_has_alone(spec, draw_ragged, kernel):
    rows = draw_ragged(12, 1)
    for columns in features(draw_ragged(30, 0), spec, kernel):
        alone = [columns(row[None, : 1 + index % 3]) for index, row in enumerate(rows)]
        np.testing.assert_array_equal(columns(rows), np.concatenate(alone))


def test_counts_are_per_group(spec, draw_sequences):
    once = draw_sequences(20, 2, 0)
    tokens, twice = pack(once, spec), pack(np.tile(once, 2), spec)
    length, sizes, kinds, subsequences, slots, pairs, places = features(tokens, spec, "both")
    for columns in (sizes, kinds, slots, pairs):
        np.testing.assert_allclose(columns(twice), columns(tokens), atol=1e-12)
    for columns in (length, subsequences, places):
        assert (columns(twice) != columns(tokens)).any(1).all()


def test_groups_hold_counts_and_means_and_lengths_that_can_be_told_by_hand(passes):
    samples = pack([[0], [0, 1], [1, 3, 1, 1]], passes)
    length, sizes, slots = features(samples, passes, "groups")
    collinear(unscaled(length, samples, samples[:1]), np.log([[1], [2], [4]]))
    collinear(unscaled(sizes, samples, samples[:1]), [[0], [1 / 6], [6 / 12]])
    # The tokens 0, 1 and 3, and the unknown ones.
    collinear(unscaled(slots, samples, samples[:1]), [[0, 0, 0, 0], [-0.5, 0.5, 0, 0], [-1, 0.75, 0.25, 0]])


def test_strings_hold_counts_that_can_be_told_by_hand(passes):
    samples = pack([[0, 0], [0, 1, 0]], passes)
    *_, subsequences, places = features(samples, passes, "string")
    # 00, 01 and 10, and the unknown ones: 00 is one step further apart in the second.
    collinear(unscaled(subsequences, samples[1:], samples[:1])[0], [0.5 / 3 - 1 / 2, 1 / 3, 1 / 3, 0])
    # 0 and 0, 1 at the second place, 0 at the third.
    collinear(unscaled(places, samples[1:], samples[:1])[0], [0, -1, 1, 1, 0])
    np.testing.assert_array_equal(places.weights, [1, 2, 2, 3, -1])


def test_what_no_sample_holds_is_one_thing_in_the_last_column(passes):
    samples = pack([[0, 0], [0, 1]], passes)
    _, _, slots = features(samples, passes, "groups")
    known, two, three = (slots(pack([[0, token]], passes)) for token in (0, 2, 3))
    np.testing.assert_array_equal(two, three)
    collinear((two - known)[0], [-1, 0, 1])
    *_, places = features(samples, passes, "string")
    longer, as_long = (places(pack([row], passes)) for row in ([0, 0, 0], [0, 0]))
    collinear((longer - as_long)[0], [0, 0, 0, 1])


def test_of_more_things_than_can_be_told_apart_the_most_frequent_are(passes, monkeypatch):
    monkeypatch.setattr(_features, "_MOST_COLUMNS", 2)
    samples = pack([[0, 3], [1, 3], [3, 1], [2, 0, 3, 1]], passes)
    _, _, slots = features(samples, passes, "groups")
    # 1 and 3; 0 and 2 are rarer.
    collinear(unscaled(slots, samples, samples[2:3]), [[-1, 0, 1], [0, 0, 0], [0, 0, 0], [-0.5, -0.5, 1]])


def test_the_largest_token_of_every_kind_is_as_large_as_any(spec):
    samples = pack([[0, 0, 0, 0], [5, 7, 5, 7]], spec)
    _, sizes, *_ = features(samples, spec, "groups")
    collinear(unscaled(sizes, samples[1:], samples[:1])[0], [1, 1, 1, 1])


def test_families_that_no_sample_has_anything_of_are_left_out(spec, passes, draw_sequences):
    one_group = pack(draw_sequences(9, 1, 0), spec)
    assert len(features(one_group, spec, "string")) == 4
    assert len(features(pack(draw_sequences(9, 2, 0), spec), spec, "string")) == 5
    assert len(features(one_group, spec, "groups")) == 4
    assert len(features(pack([[0, 1], [1, 2]], passes), passes, "groups")) == 3


def test_each_position_of_a_group_and_each_known_place_has_a_weight(spec, draw_ragged):
    length, sizes, kinds, subsequences, places = features(draw_ragged(300, 0), spec, "string")
    np.testing.assert_array_equal(sizes.weights, range(4))
    # All tokens are at all twelve places.
    np.testing.assert_array_equal(places.weights, [*np.repeat(range(4, 16), [6, 8] * 6), -1])
    for columns in (length, kinds, subsequences):
        assert (columns.weights == -1).all()
    assert [columns.are_orders for columns in (length, sizes, kinds, places)] == [False, True, False, False]


def test_pickled_columns_are_the_same(spec, draw_ragged):
    tokens = draw_ragged(12, 1)
    for columns in features(draw_ragged(20, 0), spec, "both"):
        copied = pickle.loads(pickle.dumps(columns))
        np.testing.assert_array_equal(copied(tokens), columns(tokens))
        np.testing.assert_array_equal(copied.weights, columns.weights)


def test_columns_of_any_numbers_are_centered_and_scaled(draw_ragged):
    columns = Columns(lambda tokens: 100 + 3.0 * tokens[:, 0, :2], draw_ragged(40, 0))
    values = columns(draw_ragged(40, 0))
    np.testing.assert_allclose(values.mean(0), 0, atol=1e-12)
    assert (values**2).sum(1).mean() == pytest.approx(1)
    np.testing.assert_array_equal(columns.weights, [-1, -1])


def test_an_unknown_kernel_is_refused_in_a_sentence(spec, draw_ragged):
    with pytest.raises(SurrogateError, match=r"^kernel must be one of string, groups, both, not 'rbf'$"):
        features(draw_ragged(5, 0), spec, "rbf")
