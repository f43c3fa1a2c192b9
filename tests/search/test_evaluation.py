import pytest

from pnas_search import Outcome, SearchError


@pytest.mark.parametrize("accuracy", [None, -0.01, 1.01, float("nan"), float("inf")])
@pytest.mark.parametrize("status", ["finished", "stopped"])
def test_a_child_that_is_measured_or_judged_has_an_accuracy_between_0_and_1(
    status: str, accuracy: float | None
) -> None:
    with pytest.raises(SearchError, match=rf"a {status} child needs an accuracy in \[0, 1\], not {accuracy}"):
        Outcome(status=status, accuracy=accuracy, accuracies=(), n_examples=0, seconds=0.0)


@pytest.mark.parametrize("accuracy", [0, 1])
def test_the_ends_of_the_range_are_accuracies(accuracy: int) -> None:
    outcome = Outcome(status="finished", accuracy=accuracy, accuracies=(), n_examples=0, seconds=0.0)
    assert outcome.accuracy == accuracy


@pytest.mark.parametrize("status", ["diverged", "out_of_memory", "crashed"])
def test_a_child_that_did_not_finish_has_no_accuracy(status: str) -> None:
    with pytest.raises(SearchError, match=rf"a child that is '{status}' has no accuracy, and this one has 0\.25"):
        Outcome(status=status, accuracy=0.25, accuracies=(), n_examples=0, seconds=0.0)
