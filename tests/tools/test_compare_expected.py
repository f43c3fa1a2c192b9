import numpy as np

from pnas_search import BenchmarkEvaluator, Request, load_benchmark
from pnas_searchspace import CellSpace
from pnas_tools._compare_expected import expected_accuracies


def test_what_is_expected_is_the_mean_of_what_a_benchmark_answers() -> None:
    benchmark = load_benchmark("micro-digits")
    space = CellSpace()
    trained = next(one.cell for one in benchmark.cells if len(benchmark.trainings(one.cell)) == 3)
    unknown = [cell for cell in space.to_cells(space.sample(5, 9, np.random.default_rng(0))) if cell not in benchmark]
    cells = [unknown[0], trained, unknown[1]]
    expected = expected_accuracies(benchmark, cells)
    assert expected[1] == np.mean([row.accuracy for row in benchmark.trainings(trained)])
    for cell, accuracy in zip(cells, expected, strict=True):
        requests = [Request(cell=cell, seed=seed, parent=None) for seed in range(600)]
        answers = [outcome.accuracy for _, outcome in BenchmarkEvaluator(benchmark).evaluate(requests)]
        assert abs(np.mean(answers) - accuracy) < 4 * np.std(answers) / np.sqrt(600) + 1e-9
    assert expected_accuracies(benchmark, []).tolist() == []
