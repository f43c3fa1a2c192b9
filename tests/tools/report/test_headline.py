# mypy: disable-error-code=no-untyped-def
import shlex

from pnas_tools._report import _headline


def test_a_better_cell_of_another_level_is_told_of(make_child, make_search) -> None:
    search = make_search(make_child(0, 2, accuracy=0.7), make_child(1, 3, accuracy=0.6))
    assert _headline.found(search) == (
        "It found a cell of 3 blocks with accuracy 0.6000. The highest, 0.7000, is that of a cell of 2 blocks."
    )


def test_cells_that_were_trained_shorter_are_not_compared(make_child, make_search) -> None:
    search = make_search(make_child(0, 2, accuracy=0.7), make_child(1, 2, accuracy=0.6, fidelity=15, parent=0))
    assert _headline.found(search) == (
        "It found a cell of 2 blocks that, trained 15 times as long as others, has accuracy 0.6000."
    )


def test_a_search_that_is_not_finished_says_so(make_child, make_search) -> None:
    waiting = make_child(0, status="waiting", accuracy=None)
    search = make_search(waiting, make_child(1), is_finished=False)
    assert "has so far found" in _headline.found(search)
    assert "Not finished: it is running, or was stopped. 1 of the 2 children asked for" in _headline.state(search)
    assert _headline.facts(search)["models"] == "1"
    commands = _headline.commands(search).values()
    assert {"pnas-tools status runs/small", "pnas-tools search --out runs/small"} <= set(commands)
    assert "pnas-tools train runs/small" not in commands  # which needs a finished search


def test_a_benchmark_is_named(make_child, make_search) -> None:
    children = [make_child(0, is_interpolated=True), make_child(1)]
    search = make_search(*children, config={"evaluator": "benchmark:micro-digits@0123456789ab"})
    assert "the surrogate benchmark micro-digits looked 1 of the accuracies up, and interpolated 1." in _headline.state(
        search
    )
    assert _headline.facts(search)["models looked up"] == "2"


def test_commands_can_be_pasted(make_child, make_search) -> None:
    search = make_search(make_child(0, 2), folder="my runs/small")
    words = [shlex.split(command) for command in _headline.commands(search).values()]
    assert ["pnas-tools", "show", "my runs/small", "-o", "network.svg"] in words
    assert ["pnas-tools", "models", "info", str(search.children[0].cell)] in words
    assert ["pnas-tools", "train", "my runs/small"] in words


def test_nothing_measured_is_no_cell(make_child, make_search) -> None:
    search = make_search(make_child(0, status="crashed", accuracy=None), best=None, is_finished=False)
    assert _headline.found(search) == "No child has an accuracy yet."
    assert _headline.facts(search)["accuracy"] == "none yet"
