from pnas_tools._workload import Workload


def test_time_left_is_by_the_pace_of_this_process_and_counts_larger_cells_as_more() -> None:
    work = Workload([4, 2])
    assert work.seconds_left(now=0.0) is None
    work.start_level(1, n_children=4, n_done=0, now=0.0)
    assert work.seconds_left(now=5.0) is None
    work.finish_child()
    work.finish_child()
    # Two of four children of one block took 8 s: 2 s for a unit, and 2 * 2 + 2 * 3 units are left.
    assert work.seconds_left(now=8.0) == 20.0


def test_children_that_an_earlier_run_finished_count_as_done_but_not_for_the_pace() -> None:
    work = Workload([4, 2])
    work.start_level(1, n_children=4, n_done=4, now=0.0)
    assert work.n_done == 4
    assert work.level_is_done
    assert work.seconds_left(now=100.0) is None
    work.start_level(2, n_children=2, n_done=1, now=100.0)
    work.finish_child()
    assert (work.n_done, work.n_children) == (6, 6)
    assert work.seconds_left(now=103.0) == 0.0


def test_a_level_may_turn_out_smaller_than_planned() -> None:
    work = Workload([3, 100])
    work.start_level(1, n_children=3, n_done=3, now=0.0)
    work.start_level(2, n_children=6, n_done=0, now=0.0)
    assert work.n_children == 9
