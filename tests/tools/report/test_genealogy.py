# mypy: disable-error-code=no-untyped-def
from pnas_tools._report._genealogy import make_genealogy


def test_every_parent_has_a_line_to_each_of_its_children(make_child, make_search) -> None:
    children = [make_child(0, accuracy=0.3), make_child(1, accuracy=0.4), make_child(2, 2, parent=0, accuracy=0.6)]
    (chart,) = make_genealogy(make_search(*children)).charts
    lines, points, descent = chart.traces
    assert lines["y"] == [0.3, 0.6, None]
    place = dict(zip(points["customdata"], zip(points["x"], points["y"], strict=True), strict=True))
    assert [(x, y) for x, y in zip(lines["x"], lines["y"], strict=True) if y] == [place[0], place[2]]
    assert descent["customdata"] == [0, 2]


def test_the_message_tells_how_the_ancestors_ranked(make_child, make_search) -> None:
    children = [make_child(0, accuracy=0.3), make_child(1, accuracy=0.4), make_child(2, 2, parent=0, accuracy=0.6)]
    message = make_genealogy(make_search(*children)).message
    assert message == "From 1 block to 2 blocks, the best cell and its ancestors ranked 2nd of 2 and 1st of 1."


def test_children_stay_in_the_column_of_their_level(make_child, make_search) -> None:
    children = [make_child(i, 1 + i % 2, accuracy=i / 100) for i in range(100)]
    points = make_genealogy(make_search(*children)).charts[0].traces[1]
    for index, x in zip(points["customdata"], points["x"], strict=True):
        assert round(x) == 1 + index % 2
    assert len(set(points["x"])) > 40


def test_a_strategy_without_parents_is_shown_in_order(make_child, make_search) -> None:
    children = [make_child(i, 2, accuracy=0.5) for i in range(3)]
    section = make_genealogy(make_search(*children, config={"strategy": "random"}))
    assert section.charts[0].traces[1]["x"] == [1, 2, 3]
    assert section.message == "No cell was expanded into the best one; it was the 3rd that was asked for."


def test_a_cell_that_was_trained_again_is_no_ancestor_of_its_own(make_child, make_search) -> None:
    children = [make_child(0, 2), make_child(1, 2, fidelity=15, parent=0)]
    section = make_genealogy(make_search(*children, config={"strategy": "random"}))
    assert section.message == "The best cell has 0 ancestors; it was the 2nd that was asked for."


def test_a_child_without_an_accuracy_is_counted_and_not_shown(make_child, make_search) -> None:
    lost = make_child(0, status="crashed", accuracy=None)
    section = make_genealogy(make_search(lost, make_child(1, 2, parent=0)))
    assert section.charts[0].traces[1]["customdata"] == [1]
    assert "1 child without an accuracy cannot be shown." in section.notes


def test_nothing_measured_gives_no_chart(make_child, make_search) -> None:
    section = make_genealogy(make_search(make_child(0, status="crashed", accuracy=None), best=None))
    assert not section.charts
    assert "no best cell" in section.message
