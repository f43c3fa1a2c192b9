import pytest

from pnas_tools._workload import Level, Workload


def levels(*sizes: int) -> list[Level]:
    """Of one block, two blocks and so on."""
    return [Level(n_blocks=n_blocks, n_children=size) for n_blocks, size in enumerate(sizes, start=1)]


def test_time_left_is_by_the_pace_of_this_process_and_counts_larger_cells_as_more() -> None:
    work = Workload(levels(4, 2))
    work.start_round(1, 1, n_children=4, n_done=0, now=0.0)
    assert work.seconds_left(now=5.0) is None
    work.finish_child()
    work.finish_child()
    # Two of four children of one block took 8 s: 2 s for a unit, and 2 * 2 + 2 * 3 units are left.
    assert work.seconds_left(now=8.0) == 20.0


def test_children_that_an_earlier_run_finished_count_as_done_but_not_for_the_pace() -> None:
    work = Workload(levels(4, 2))
    work.start_round(1, 1, n_children=4, n_done=4, now=0.0)
    assert work.n_done == 4
    assert work.level_is_done
    assert work.seconds_left(now=100.0) is None
    work.start_round(2, 1, n_children=2, n_done=1, now=100.0)
    work.finish_child()
    assert (work.n_done, work.n_children) == (6, 6)
    assert work.seconds_left(now=103.0) == 0.0


@pytest.mark.parametrize("n_children", [2, 6])
def test_a_level_of_one_round_has_as_many_children_as_that(n_children: int) -> None:
    work = Workload(levels(3, 4))
    work.start_round(1, 1, n_children=3, n_done=3, now=0.0)
    work.start_round(2, 1, n_children=n_children, n_done=n_children, now=0.0)
    assert work.n_children == 3 + n_children
    assert work.level_is_done


def test_a_level_of_many_rounds_is_done_when_as_many_children_are_as_were_planned() -> None:
    work = Workload([Level(n_blocks=5, n_children=5, is_one_round=False)])
    for n_children in (2, 2, 1):
        assert not work.level_is_done
        work.start_round(5, 1, n_children=n_children, n_done=0, now=0.0)
        for _ in range(n_children):
            work.finish_child()
    assert (work.n_done, work.n_children, work.level, work.level_is_done) == (5, 5, 1, True)
    assert work.seconds_left(now=1.0) == 0.0


def test_children_that_are_trained_longer_are_a_level_of_their_own_and_count_as_more() -> None:
    work = Workload([Level(n_blocks=1, n_children=4, is_one_round=False), Level(n_blocks=1, fidelity=15, n_children=1)])
    work.start_round(1, 1, n_children=2, n_done=0, now=0.0)
    work.finish_child()
    # A unit took half a second: 3 * 2 and 15 * 2 units are left.
    assert work.seconds_left(now=1.0) == 18.0
    work.start_round(1, 15, n_children=1, n_done=0, now=1.0)
    assert (work.level, work.n_children) == (2, 3)  # the first level ended early
