from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pnas_searchspace import Cell
from pnas_tools._report._child import Child
from pnas_tools._report._search_data import SearchData

SMALL = (
    *("--operations", "identity,max_pool_3x3,avg_pool_3x3"),  # 21 cells of one block
    *("--blocks", "3", "--beam", "30", "--surrogate-epochs", "5"),
)


@pytest.fixture(scope="session")
def run(on_benchmark: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished search over 81 children."""
    return on_benchmark(tmp_path_factory.mktemp("runs") / "small", *SMALL)


@pytest.fixture(scope="session")
def make_child() -> Callable[..., Child]:
    """Makes a finished child of so many blocks; whatever is given is as given."""

    def make(index: int, n_blocks: int = 1, **values: Any) -> Child:
        usual = {
            "index": index,
            "cell": Cell([(-1, "identity", -2, "identity")] * n_blocks),
            "fidelity": 1,
            "parent": None,
            "predicted": None,
            "status": "finished",
            "accuracy": 0.5,
            "n_examples": 100,
            "seconds": 2.0,
            "n_parameters": 1000,
            "multiply_adds": 50_000,
            "is_interpolated": False,
            "message": "",
        }
        return Child(**{**usual, **values})

    return make


@pytest.fixture(scope="session")
def make_search() -> Callable[..., SearchData]:
    """Makes a search of children, which is finished with the last of them as the best."""

    def make(*children: Child, **values: Any) -> SearchData:
        usual = {
            "folder": "runs/small",
            "children": children,
            "best": children[-1],
            "is_finished": True,
            "config": {"strategy": "progressive", "evaluator": "train", "dataset": "digits", "seed": 0},
            "provenance": {"python": "3.11", "versions": {"numpy": "2.0"}},
            "command": "pnas-tools search --out runs/small",
        }
        return SearchData(**{**usual, **values})

    return make
