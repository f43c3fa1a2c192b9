import io
from typing import Any

from rich.console import Console

from pnas_tools._training._table import SearchCost, cifar_table


def level(n_models: int, n_examples: int, fidelity: int = 1) -> dict[str, Any]:
    return {"n_models": n_models, "n_examples": n_examples, "fidelity": fidelity}


def test_the_papers_own_row() -> None:
    # Section 5.3 and table 3: 1,160 models, each on 900 K examples.
    search = {"levels": [level(136, 136 * 900_000), *(level(256, 256 * 900_000) for _ in range(4))]}
    cost = SearchCost.of(search)
    assert cost.as_json() == {
        "n_models": 1160,
        "examples_per_model": 900_000.0,
        "n_reranked": 0,
        "examples_per_reranked": 0.0,
        "n_examples": 1160 * 900_000.0,
    }
    config = {"cell": [[-2, "identity", -1, "identity"]] * 5, "n_repeats": 3, "n_filters": 48}
    screen = io.StringIO()
    Console(file=screen, width=120).print(
        cifar_table({"config": config, "accuracy": 0.9659, "n_parameters": 3_200_000}, cost)
    )
    names, values = screen.getvalue().splitlines()
    assert names.split() == ["B", "N", "F", "error", "params", "M1", "E1", "M2", "E2", "cost"]
    assert values.split() == ["5", "3", "48", "3.41", "%", "3.2", "M", "1,160", "900", "k", "0", "0", "1.04", "G"]


def test_cells_that_were_trained_again_are_counted_apart() -> None:
    cost = SearchCost.of({"levels": [level(100, 1000), level(20, 3000, fidelity=15), level(5, 750, fidelity=15)]})
    assert (cost.n_models, cost.examples_per_model, cost.n_reranked, cost.examples_per_reranked) == (100, 10, 25, 150)
    assert cost.n_examples == 100 * 10 + 25 * 150
