import json

from pnas_search import Candidate, LedgerRow, Outcome
from pnas_searchspace import Cell
from pnas_tools._config import PRESETS
from pnas_tools._result import make_result

SMALL = Cell([[-1, "identity", -2, "identity"]])
LARGE = Cell([*SMALL, [0, "identity", -1, "max_pool_3x3"]])


def row(
    round_: int, position: int, cell: Cell, accuracy: float | None, status: str | None = None, *, fidelity: int = 1
) -> LedgerRow:
    status = status or ("finished" if accuracy is not None else "diverged")
    curve = () if accuracy is None else (accuracy,)
    outcome = Outcome(status=status, accuracy=accuracy, accuracies=curve, n_examples=10, seconds=1.0)  # type: ignore[arg-type]
    candidate = Candidate(cell=cell, fidelity=fidelity)
    return LedgerRow(round=round_, position=position, candidate=candidate, seed=1, outcome=outcome)


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


def best_of(*rows: LedgerRow) -> object:
    outcome = rows[0].outcome
    assert outcome is not None
    (level,) = make_result((SMALL, outcome), list(rows), PRESETS["quick"], {})["levels"]
    return level["best_cell"]


def test_the_best_of_equals_is_the_one_that_was_asked_for_first() -> None:
    other = Cell([[-1, "identity", -1, "identity"]])
    assert best_of(row(0, 0, SMALL, 0.5), row(0, 1, other, 0.5)) is SMALL
    assert best_of(row(0, 0, SMALL, None)) is None


def test_what_a_stopped_child_was_expected_to_reach_comes_after_what_others_reached() -> None:
    other = Cell([[-1, "identity", -1, "identity"]])
    assert best_of(row(0, 0, SMALL, 0.9, "stopped"), row(0, 1, other, 0.5)) is other
    assert best_of(row(0, 0, SMALL, 0.9, "stopped")) is SMALL


def test_children_that_were_trained_longer_are_a_level_of_their_own() -> None:
    rows = [row(0, 0, LARGE, 0.5), row(1, 0, LARGE, 0.75, fidelity=15)]
    assert rows[1].outcome is not None
    levels = make_result((LARGE, rows[1].outcome), rows, PRESETS["quick"], {})["levels"]
    assert [(level["n_blocks"], level["fidelity"], level["best_accuracy"]) for level in levels] == [
        (2, 1, 0.5),
        (2, 15, 0.75),
    ]
