import dataclasses
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from pnas_searchspace import Cell
from pnas_tools._compare_result import CompareResult
from pnas_tools._compare_text import print_compare_result
from pnas_tools._compare_trial import Trial
from pnas_tools._config import PRESETS

CELL = Cell([[-1, "identity", -2, "identity"]])


def result(n_trials: int, evaluator: str = "train") -> CompareResult:
    def trial(seed: int, accuracies: list[float]) -> Trial:
        return Trial(
            seed=seed,
            cells=[CELL] * len(accuracies),
            accuracies=np.array(accuracies),
            n_examples=1_000.0 * np.arange(1, len(accuracies) + 1),
            n_examples_again=0,
            n_interpolated=1,
        )

    found = {"local": [0.5, 0.75, 0.5, 0.5], "random": [0.25] * 1200, "mcts": [0.5, np.nan, 0.8]}
    trials = {name: [trial(seed, found[name]) for seed in range(n_trials)] for name in found}
    configs = {name: dataclasses.replace(PRESETS["quick"], strategy=name, evaluator=evaluator) for name in found}
    return CompareResult(trials=trials, configs=configs, provenances=[])


def printed(result: CompareResult) -> str:
    console = Console(file=StringIO(), width=40)
    print_compare_result(console, result)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_table_shows_what_it_takes_to_be_as_accurate_as_the_first_strategy() -> None:
    lines = [line.split() for line in printed(result(2)).splitlines()]
    assert ["1", "local", "0.7500", "±0.0000", "4", "4,000"] in lines
    assert [
        "random",
        "0.2500",
        "±0.0000",
        "-0.5000",
        "±0.0000",
        *[">", "1,200", ">", "300.00", ">", "1,200,000", ">", "300.00"],
    ] in lines
    assert ["mcts", "0.8000", "±0.0000", "+0.0500", "±0.0000", "3", "0.75", "3,000", "0.75"] in lines
    assert ["mcts", "6", "2"] in lines
    assert not any(line[:1] == ["5"] for line in lines)


@pytest.mark.parametrize(
    ("n_trials", "evaluator", "caption"),
    [
        (1, "train", "One trial (seed 0): the mean accuracy of the M best models, after as many as local trains"),
        (
            3,
            "benchmark:micro-digits",
            "3 trials (seeds 0 to 2) on the surrogate benchmark micro-digits: the mean",
        ),
    ],
)
def test_it_says_how_many_trials_there_are_and_where(n_trials: int, evaluator: str, caption: str) -> None:
    text = printed(result(n_trials, evaluator))
    assert caption in text
    assert ("±" in text) == (n_trials > 1)
    for shown in ("interpolated", "50.0%", "expected"):
        assert (shown in text) == (evaluator != "train")
    assert "nan" not in text
