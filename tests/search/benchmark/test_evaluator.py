import numpy as np
import pytest

from pnas_search import BenchmarkEvaluator, Request, SearchError
from pnas_searchspace import Cell


def ask(evaluator, cells, seed=0):
    requests = [Request(cell=cell, seed=seed, parent=None) for cell in cells]
    answered = list(evaluator.evaluate(requests))
    assert [request for request, _ in answered] == requests
    return [outcome for _, outcome in answered]


@pytest.fixture(scope="module")
def unknown(table, space) -> list[Cell]:
    known = {cell.cell for cell in table.cells}
    return [cell for cell in space.to_cells(np.concatenate(list(space.enumerate(2)))) if cell not in known][:40]


def test_a_measured_cell_has_the_outcome_of_the_training_that_the_seed_decides_on(table):
    cell = table.cells[2]
    trainings = table.trainings(cell.cell)
    assert len(trainings) == 3
    for seed in (0, 1, 2, 3, 2**62 + 1):
        [outcome] = ask(BenchmarkEvaluator(table), [cell.cell], seed)
        row = trainings[seed % 3]
        assert (outcome.status, outcome.accuracy, outcome.accuracies) == ("finished", row.accuracy, row.accuracies)
        assert (outcome.seconds, outcome.n_examples) == (row.seconds, 3 * 80)
        assert outcome.measurements == {
            "measured": 1,
            "n_parameters": cell.n_parameters,
            "multiply_adds": cell.multiply_adds,
        }


def test_a_training_that_diverged_is_answered_as_one(table):
    [row] = [row for row in table.rows if row.status == "diverged"]
    [outcome] = ask(BenchmarkEvaluator(table), [row.cell], seed=1)
    assert (outcome.status, outcome.accuracy, outcome.n_examples) == ("diverged", None, 80)


def test_measured_and_interpolated_cells_come_in_the_order_in_which_they_are_asked_for(table, unknown):
    measured = table.cells[0].cell
    outcomes = ask(BenchmarkEvaluator(table), [unknown[0], measured, unknown[1]])
    assert [outcome.measurements["measured"] for outcome in outcomes] == [0, 1, 0]
    assert outcomes[0] == ask(BenchmarkEvaluator(table), unknown[:1])[0]
    assert outcomes[2] == ask(BenchmarkEvaluator(table), unknown[1:2])[0]


def test_an_interpolated_answer_has_noise_of_the_size_of_the_seeds(table, unknown):
    evaluator = BenchmarkEvaluator(table)
    outcomes = [ask(evaluator, unknown, seed) for seed in range(50)]
    curves = np.array([[outcome.accuracies for outcome in of_seed] for of_seed in outcomes]).reshape(-1, 3)
    np.testing.assert_allclose(curves.mean(axis=0), [0.375, 0.625, 0.875], atol=0.002)
    np.testing.assert_allclose(curves.std(axis=0), [0.01, 0.02, 0.03], rtol=0.1)
    assert all(outcome.accuracy == outcome.accuracies[-1] for outcome in outcomes[0])
    assert all(outcome.measurements["n_parameters"] == 1000 for outcome in outcomes[0])


def test_the_same_request_has_the_same_answer_and_another_seed_or_cell_another(table, unknown):
    evaluator = BenchmarkEvaluator(table)
    first, other = ask(evaluator, unknown[:2], seed=5)
    assert ask(evaluator, unknown[:1], seed=5) == [first]
    assert ask(evaluator, unknown[:1], seed=6)[0].accuracy != first.accuracy
    assert other.accuracy != first.accuracy


def test_an_exact_benchmark_answers_measured_cells_and_refuses_others(table, unknown):
    evaluator = BenchmarkEvaluator(table, exact=True)
    assert ask(evaluator, [table.cells[0].cell])[0].measurements["measured"] == 1
    with pytest.raises(SearchError, match="made-up has not trained"):
        ask(evaluator, [table.cells[0].cell, unknown[0]])


def test_cells_that_are_too_large_or_of_other_operations_are_refused(table, space):
    large = space.to_cells(space.sample(3, 1, 0))[0]
    with pytest.raises(SearchError, match=r"made-up knows cells of 1 to 2 blocks over conv, pool, and .* has 3 blocks"):
        ask(BenchmarkEvaluator(table), [large])
    with pytest.raises(SearchError, match=r"over conv, pool, and .* has swish: search among those, or train"):
        ask(BenchmarkEvaluator(table), [Cell([(-2, "conv", -1, "swish")])])
