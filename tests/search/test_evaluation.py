import pytest

from pnas_search import Outcome, SearchError


@pytest.mark.parametrize("accuracy", [None, -0.01, 1.01, float("nan"), float("inf")])
def test_a_finished_child_has_an_accuracy_between_0_and_1(accuracy: float | None) -> None:
    with pytest.raises(SearchError, match=rf"accuracy in \[0, 1\], not {accuracy}"):
        Outcome(status="finished", accuracy=accuracy, accuracies=(), n_examples=0, seconds=0.0)


@pytest.mark.parametrize("accuracy", [0, 1])
def test_the_ends_of_the_range_are_accuracies(accuracy: int) -> None:
    outcome = Outcome(status="finished", accuracy=accuracy, accuracies=(), n_examples=0, seconds=0.0)
    assert outcome.accuracy == accuracy


@pytest.mark.parametrize("status", ["diverged", "out_of_memory", "crashed"])
def test_a_child_that_did_not_finish_has_no_accuracy(status: str) -> None:
    with pytest.raises(SearchError, match=rf"a child that is '{status}' has no accuracy, and this one has 0\.25"):
        Outcome(status=status, accuracy=0.25, accuracies=(), n_examples=0, seconds=0.0)
