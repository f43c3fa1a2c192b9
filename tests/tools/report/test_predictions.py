# mypy: disable-error-code=no-untyped-def
import pytest

from pnas_surrogate.metrics import spearman
from pnas_tools._report._predictions import make_predictions, rank_correlation


@pytest.mark.parametrize("predicted", [[0.1, 0.4, 0.3, 0.2], [0.4, 0.4, 0.1, 0.3], [0.2, 0.2, 0.2, 0.2]])
def test_the_rank_correlation_is_the_surrogates(predicted, make_child) -> None:
    measured = [0.5, 0.7, 0.6, 0.9]
    children = [make_child(i, accuracy=measured[i], predicted=predicted[i]) for i in range(4)]
    assert rank_correlation(children) == pytest.approx(spearman(measured, predicted))


def test_every_level_that_was_predicted_has_a_panel(make_child, make_search) -> None:
    unpredicted = [make_child(i) for i in range(3)]
    right = [make_child(3 + i, 2, predicted=0.1 * i, accuracy=0.1 * i + 0.2) for i in range(4)]
    wrong = [make_child(7 + i, 3, predicted=0.1 * i, accuracy=0.9 - 0.1 * i) for i in range(4)]
    section = make_predictions(make_search(*unpredicted, *right, *wrong))
    assert [chart.title for chart in section.charts] == [
        "2 blocks: rank correlation 1.00",
        "3 blocks: rank correlation -1.00",
    ]
    assert section.charts[0].traces[1]["customdata"] == [3, 4, 5, 6]
    assert "2 blocks best (rank correlation 1.00), and those of 3 blocks worst (-1.00)" in section.message


def test_without_a_surrogate_it_says_so(make_child, make_search) -> None:
    section = make_predictions(make_search(make_child(0), config={"strategy": "local"}))
    assert not section.charts
    assert section.message == "The strategy local asks no surrogate, so nothing was predicted."
