import itertools
from datetime import UTC, datetime, timedelta

from pnas_search import Candidate, LedgerRow, Outcome
from pnas_searchspace import Cell
from pnas_tools._tracking._course import Course
from pnas_tools._tracking._tail import Child

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def child(place: int, accuracy: float | None) -> Child:
    outcome = Outcome(
        status="crashed" if accuracy is None else "finished",
        accuracy=accuracy,
        accuracies=(),
        n_examples=10,
        seconds=2.0,
    )
    candidate = Candidate(cell=Cell([[-2, "identity", -1, "identity"]]))
    row = LedgerRow(round=0, position=place, candidate=candidate, seed=0, outcome=outcome)
    at = BEGINNING + timedelta(seconds=place)
    return Child(place=place, row=row, outcome=outcome, started_at=at, finished_at=at)


CHILDREN = [child(0, 0.5), child(1, None), child(2, 0.25), child(3, 0.75)]


def test_a_step_tells_of_all_children_up_to_it() -> None:
    last = {value.name: value.value for value in Course().add(CHILDREN)[-1]}
    assert last == {
        "n_finished": 3,
        "n_failed": 1,
        "n_examples": 40,
        "seconds": 8,
        "n_blocks": 1,
        "accuracy": 0.75,
        "best_accuracy": 0.75,
    }


def test_the_series_do_not_depend_on_who_finishes_first() -> None:
    expected = Course().add(CHILDREN)
    for order in itertools.permutations(CHILDREN):
        course = Course()
        assert list(itertools.chain.from_iterable(course.add([one]) for one in order)) == expected


def test_the_best_so_far_never_falls() -> None:
    best = [value.value for step in Course().add(CHILDREN) for value in step if value.name == "best_accuracy"]
    assert best == sorted(best)
