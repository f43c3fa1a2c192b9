import json

from pnas_search import Candidate, LedgerRow, Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._config import PRESETS
from pnas_tools._result import best_row, make_result

SMALL = Cell([[-1, "identity", -2, "identity"]])
LARGE = Cell([*SMALL, [0, "identity", -1, "max_pool_3x3"]])


def row(round_: int, position: int, cell: Cell, accuracy: float | None, status: str | None = None) -> LedgerRow:
    status = status or ("finished" if accuracy is not None else "diverged")
    curve = () if accuracy is None else (accuracy,)
    outcome = Outcome(status=status, accuracy=accuracy, accuracies=curve, n_examples=10, seconds=1.0)  # type: ignore[arg-type]
    request = Request(cell=cell, seed=1, parent=None)
    return LedgerRow(round=round_, position=position, candidate=Candidate(cell=cell), request=request, outcome=outcome)


def test_the_result_counts_everything_that_was_trained_and_names_the_best_of_every_level() -> None:
    rows = [row(0, 0, SMALL, 0.9), row(0, 1, SMALL, None), row(1, 0, LARGE, 0.8)]
    outcome = rows[-1].outcome
    assert outcome is not None
    result = json.loads(json.dumps(make_result((LARGE, outcome), rows, PRESETS["quick"], {"versions": {}})))
    assert Cell(result["best_cell"]) == LARGE
    assert (result["best_accuracy"], result["n_models"], result["n_examples"], result["seed"]) == (0.8, 3, 30, 0)
    assert [(level["n_blocks"], level["n_models"], level["best_accuracy"]) for level in result["levels"]] == [
        (1, 2, 0.9),
        (2, 1, 0.8),
    ]


def test_the_best_of_equals_is_the_one_that_was_asked_for_first() -> None:
    rows = [row(0, 0, SMALL, 0.5), row(0, 1, LARGE, 0.5)]
    assert best_row(rows) is rows[0]
    assert best_row([row(0, 0, SMALL, None)]) is None


def test_what_a_stopped_child_was_expected_to_reach_comes_after_what_others_reached() -> None:
    stopped, finished = row(0, 0, SMALL, 0.9, "stopped"), row(0, 1, LARGE, 0.5)
    assert best_row([stopped, finished]) is finished
    assert best_row([stopped]) is stopped
