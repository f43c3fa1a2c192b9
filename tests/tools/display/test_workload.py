import pytest

from pnas_search import LevelCost, Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._display._workload import Workload
from pnas_tools._plan import Level


def levels(*sizes: int) -> list[Level]:
    """Of one block, two blocks and so on."""
    return [Level(n_blocks=n_blocks, n_children=size) for n_blocks, size in enumerate(sizes, start=1)]


def request(n_blocks: int, fidelity: int = 1) -> Request:
    return Request(cell=Cell([[-1, "identity", -2, "identity"]] * n_blocks), seed=0, parent=None, fidelity=fidelity)


def finished(accuracy: float = 0.5) -> Outcome:
    return Outcome(status="finished", accuracy=accuracy, accuracies=(accuracy,), n_examples=100, seconds=1.0)


FAILED = Outcome(status="diverged", accuracy=None, accuracies=(), n_examples=10, seconds=1.0)


def finish(work: Workload, child: Request, n: int = 1, *, was_there: bool = False, now: float = 0.0) -> None:
    for _ in range(n):
        work.count(child, finished(), was_there=was_there, now=now)


def test_time_left_is_by_the_pace_of_this_process_and_counts_larger_cells_as_more() -> None:
    work = Workload(levels(4, 2))
    work.start_round(request(1), 4)
    assert work.snapshot(now=5.0).seconds_left is None
    finish(work, request(1), now=90.0)  # workers were started meanwhile
    assert work.snapshot(now=95.0).seconds_left is None
    finish(work, request(1), 2, now=95.0)
    assert work.snapshot(now=92.0).seconds_left is None  # too early to say
    # Two children of one block took 8 s: 2 s for a unit, and 1 * 2 + 2 * 3 units are left.
    snapshot = work.snapshot(now=98.0)
    assert snapshot.seconds_left == 16.0
    assert (snapshot.children_per_second, snapshot.images_per_second) == (0.25, 25.0)


def test_children_that_an_earlier_run_finished_count_as_done_but_not_for_the_pace() -> None:
    work = Workload(levels(4, 3))
    work.start_round(request(1), 4)
    finish(work, request(1), 4, was_there=True)
    assert work.level_is_done
    assert (work.snapshot(now=100.0).n_done, work.snapshot(now=100.0).seconds_left) == (4, None)
    work.start_round(request(2), 3)
    finish(work, request(2), was_there=True)
    finish(work, request(2), now=100.0)
    finish(work, request(2), now=103.0)
    snapshot = work.snapshot(now=104.0)
    assert (snapshot.n_done, snapshot.n_planned, snapshot.seconds_left) == (7, 7, 0.0)
    assert snapshot.children_per_second == 1 / 4


@pytest.mark.parametrize("n_children", [2, 6])
def test_a_level_of_one_round_has_as_many_children_as_that(n_children: int) -> None:
    work = Workload(levels(3, 4))
    work.start_round(request(1), 3)
    finish(work, request(1), 3, was_there=True)
    work.start_round(request(2), n_children)
    finish(work, request(2), n_children, was_there=True)
    assert work.snapshot(now=1.0).n_planned == 3 + n_children
    assert work.level_is_done


def test_a_level_of_many_rounds_is_done_when_as_many_children_are_as_were_planned() -> None:
    work = Workload([Level(n_blocks=5, n_children=5, is_one_round=False)])
    for n_children in (2, 2, 1):
        assert not work.level_is_done
        work.start_round(request(5), n_children)
        finish(work, request(5), n_children)
    snapshot = work.snapshot(now=5.0)
    assert (snapshot.n_done, snapshot.n_planned, snapshot.seconds_left) == (5, 5, 0.0)
    assert (work.level, work.level_is_done) == (1, True)


def test_children_that_are_trained_longer_are_a_level_of_their_own_and_count_as_more() -> None:
    work = Workload([Level(n_blocks=1, n_children=4, is_one_round=False), Level(n_blocks=1, fidelity=15, n_children=1)])
    work.start_round(request(1), 2)
    finish(work, request(1), 2)
    # A unit took two seconds: 2 * 2 and 15 * 2 units are left.
    assert work.snapshot(now=4.0).seconds_left == 68.0
    work.start_round(request(1, fidelity=15), 1)
    assert (work.level, work.snapshot(now=4.0).n_planned) == (2, 3)  # the first level ended early


def test_failures_and_the_best_are_told_by_level_and_the_best_of_all() -> None:
    work = Workload(levels(4, 2))
    work.start_round(request(1), 4)
    for outcome in (finished(0.25), finished(0.75), FAILED, finished(0.5)):
        work.count(request(1), outcome, was_there=False, now=0.0)
    work.start_round(request(2), 2)
    work.count(request(2), finished(0.5), was_there=False, now=0.0)
    snapshot = work.snapshot(now=1.0)
    assert [(level.n_done, level.n_failed, level.best) for level in snapshot.levels] == [(4, 1, 0.75), (1, 0, 0.5)]
    assert snapshot.best == (request(1).cell, 0.75)


def cost(n_blocks: int, n_done: int, *, n_asked: int = 4, fidelity: int = 1) -> LevelCost:
    return LevelCost(
        n_blocks=n_blocks,
        fidelity=fidelity,
        n_asked=n_asked,
        n_done=n_done,
        n_failed=1,
        best_accuracy=0.1 * n_blocks,
        n_examples=100 * n_done,
        seconds=1.0 * n_done,
    )


def test_what_a_ledger_tells_is_shown_and_what_came_since_the_first_look_makes_the_pace() -> None:
    work, best = Workload(levels(4, 6)), (request(2).cell, 0.2)
    work.catch_up([cost(1, 3)], None, now=10.0)
    assert (work.snapshot(now=10.0).n_done, work.snapshot(now=10.0).seconds_left) == (3, None)
    work.catch_up([cost(1, 4), cost(2, 1)], best, now=15.0)
    snapshot = work.snapshot(now=15.0)
    assert [(level.n_done, level.n_planned, level.n_failed, level.best) for level in snapshot.levels] == [
        (4, 4, 1, 0.1),
        (1, 4, 1, 0.2),
    ]
    assert (snapshot.best, snapshot.children_per_second, snapshot.images_per_second) == (best, 0.4, 40.0)
    assert snapshot.seconds_left == 9.0  # 2 + 3 units in 5 s, and three children of 3 units


def test_cells_of_several_sizes_that_are_trained_longer_are_one_level_of_a_ledger_too() -> None:
    work = Workload([*levels(4), Level(n_blocks=2, fidelity=15, n_children=8)])
    work.catch_up([cost(1, 4), cost(1, 1, fidelity=15), cost(2, 2, fidelity=15)], None, now=0.0)
    last = work.snapshot(now=0.0).levels[-1]
    assert (last.n_done, last.n_planned, last.n_failed, last.best) == (3, 8, 2, 0.2)
