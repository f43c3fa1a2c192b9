# mypy: disable-error-code=no-untyped-def
from pnas_tools._report._level_costs import costs_message, level_costs


def test_levels_add_up_to_the_total(make_child, make_search) -> None:
    search = make_search(make_child(0, seconds=1.0), make_child(1, seconds=3.0), make_child(2, 2, seconds=4.0))
    one, two, total = level_costs(search)
    assert (one.name, one.n_asked, one.seconds, one.median_seconds, one.share) == ("1 block", 2, 4.0, 2.0, 0.5)
    assert total.seconds == one.seconds + two.seconds
    assert total.n_examples == one.n_examples + two.n_examples == 300
    assert costs_message(search) == "3 children: training took 8.0 s, 50 % of it for 1 block."


def test_a_single_level_is_no_total(make_child, make_search) -> None:
    search = make_search(make_child(0), make_child(1, status="waiting", accuracy=None, seconds=0.0))
    (cost,) = level_costs(search)
    assert (cost.n_asked, cost.n_finished, cost.share) == (2, 1, 1.0)
    assert costs_message(search) == "2 children: training took 2.0 s."
