# mypy: disable-error-code=no-untyped-def
from pnas_tools._report._top_curves import make_top_curves


def test_curves_are_staircases_and_records_are_points(make_child, make_search) -> None:
    accuracies = [0.3, 0.2, 0.6, 0.5, 0.4, 0.605]
    children = [make_child(i, accuracy=accuracy) for i, accuracy in enumerate(accuracies)]
    section = make_top_curves(make_search(*children))
    best, five, records = section.charts[0].traces
    assert (best["x"], best["y"]) == ([1, 3, 6], [0.3, 0.6, 0.605])
    assert (five["x"], five["y"]) == ([5, 6], [0.4, 0.481])
    assert records["customdata"] == [0, 2, 5]
    assert section.message == (
        "The most accurate of 6 models was the 6th (0.6050); the 3rd was already within 0.01 of it."
    )


def test_children_that_failed_take_their_turn(make_child, make_search) -> None:
    children = [make_child(0, status="crashed", accuracy=None), make_child(1, accuracy=0.5)]
    best, records = make_top_curves(make_search(*children)).charts[0].traces
    assert best["x"] == records["x"] == [2]


def test_nothing_measured_gives_no_chart(make_child, make_search) -> None:
    section = make_top_curves(make_search(make_child(0, status="crashed", accuracy=None), best=None))
    assert (section.charts, section.message) == ([], "No model has an accuracy yet.")
