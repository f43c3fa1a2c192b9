import numpy as np
import pytest

from pnas_search import AdaptiveBeam, SearchError
from pnas_search._strategies._progressive._trained import Trained
from pnas_searchspace import Cell

CELL = Cell([(-1, "conv", -1, "conv")])
MEAN = np.array([0.2, 0.9, 0.85, 0.5, 0.84, 0.6])


@pytest.fixture
def level(finished):
    """A level, of measured and predicted accuracies."""

    def trained(*pairs):
        return [Trained(CELL, finished(measured), predicted) for measured, predicted in pairs]

    return trained


def test_an_exact_surrogate_has_the_smallest_beam_and_a_hopeless_one_the_largest(level):
    beam = AdaptiveBeam(smallest=2, largest=5)
    assert beam.size(level((0.5, 0.5), (0.7, 0.7), (0.9, 0.9)), MEAN) == 2
    assert beam.size(level((0.0, 1.0), (1.0, 0.0), (0.5, 0.1)), MEAN) == 5
    # One that says the same of all children tells none from another.
    assert beam.size(level((0.5, 0.7), (0.7, 0.7), (0.9, 0.7)), np.full(6, 0.7)) == 5


def test_the_beam_is_those_within_reach_of_the_best_prediction(level):
    told = level((0.1, 0.2), (0.3, 0.2))  # s is 0.1
    for n_errors, expected in ((0.4, 1), (0.55, 2), (0.65, 3), (3.1, 4), (4.1, 5), (8.0, 6)):
        assert AdaptiveBeam(smallest=1, largest=100, n_errors=n_errors).size(told, MEAN) == expected
        assert AdaptiveBeam(smallest=3, largest=4, n_errors=n_errors).size(told, MEAN) == min(max(expected, 3), 4)


def test_an_offset_of_all_predictions_changes_nothing(level):
    beam = AdaptiveBeam(smallest=1, largest=100, n_errors=0.55)
    told = level((0.1, 0.7), (0.3, 0.7))
    assert beam.size(told, MEAN) == beam.size(level((0.1, 0.2), (0.3, 0.2)), MEAN + 0.5) == 2
    assert beam.size(level((0.5, 0.25), (0.75, 0.5)), MEAN) == 1


def test_children_that_failed_or_were_not_predicted_tell_nothing(level, failed):
    beam = AdaptiveBeam(smallest=1, largest=100, n_errors=0.55)
    others = [Trained(CELL, failed, 0.9), *level((0.9, None))]
    assert beam.size([*others, *level((0.1, 0.2), (0.3, 0.2))], MEAN) == 2
    assert beam.size([*others, *level((0.1, 0.2))], MEAN) is None
    assert beam.size([], MEAN) is None


def test_what_is_no_beam_is_refused():
    with pytest.raises(SearchError, match="smallest must be 1 or more, not 0"):
        AdaptiveBeam(smallest=0, largest=5)
    with pytest.raises(SearchError, match="largest must be 6 or more, as smallest is, not 5"):
        AdaptiveBeam(smallest=6, largest=5)
    for n_errors in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(SearchError, match=f"n_errors must be a positive number, not {n_errors}"):
            AdaptiveBeam(smallest=1, largest=5, n_errors=n_errors)
