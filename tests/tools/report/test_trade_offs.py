# mypy: disable-error-code=no-untyped-def
from pnas_tools._report._trade_offs import front_of, make_trade_offs


def test_nothing_is_cheaper_and_more_accurate_than_the_front(make_child) -> None:
    costs, accuracies = [10, 40, 20, 30, 40], [0.2, 0.5, 0.4, 0.3, 0.6]
    children = [make_child(i, n_parameters=costs[i], accuracy=accuracies[i]) for i in range(5)]
    assert [child.index for child in front_of(children, lambda child: child.n_parameters)] == [0, 2, 4]


def test_the_message_tells_what_half_the_parameters_cost(make_child, make_search) -> None:
    small, large = make_child(0, n_parameters=900, accuracy=0.55), make_child(1, n_parameters=2000, accuracy=0.6)
    section = make_trade_offs(make_search(small, large))
    assert (
        section.message
        == "The most accurate cell has 2 k parameters; with at most half as many, 900, accuracy is 0.0500 lower."
    )
    assert [chart.name for chart in section.charts] == ["cost-parameters", "cost-multiply-adds"]


def test_ticks_of_a_wide_axis_are_round(make_child, make_search) -> None:
    children = [make_child(i, n_parameters=cost) for i, cost in enumerate((900, 2500, 60_000))]
    axis = make_trade_offs(make_search(*children)).charts[0].layout["xaxis"]
    assert axis["tickvals"] == [1000, 2000, 5000, 10_000, 20_000, 50_000]


def test_a_cost_that_is_not_known_has_no_panel(make_child, make_search) -> None:
    section = make_trade_offs(make_search(make_child(0, n_parameters=None, multiply_adds=None)))
    assert (section.charts, section.message) == (
        [],
        "What networks cost is not known of any child that has finished.",
    )
