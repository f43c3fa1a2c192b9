import numpy as np

from pnas_search._strategies._progressive._front import ParetoFront


def test_a_front_is_what_no_other_beats_in_accuracy_and_all_costs_the_most_accurate_first(space):
    cells = space.to_cells(space.one_block_cells())
    rng = np.random.default_rng(0)
    accuracies, costs = rng.integers(0, 5, len(cells)) / 5, rng.integers(0, 4, (len(cells), 2)).astype(float)

    def beats(one, other):
        same = accuracies[one] == accuracies[other] and (costs[one] == costs[other]).all()
        return accuracies[one] >= accuracies[other] and (costs[one] <= costs[other]).all() and not same

    expected = [n for n in range(len(cells)) if not any(beats(other, n) for other in range(len(cells)))]
    assert 1 < len(expected) < len(cells)
    expected.sort(key=lambda place: -accuracies[place])
    front = ParetoFront.of(cells, accuracies, costs)
    assert list(front.cells) == [cells[place] for place in expected]
    assert front.accuracies.tolist() == accuracies[expected].tolist()
    assert front.costs.tolist() == costs[expected].tolist()
