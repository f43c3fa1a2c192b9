import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from pnas_searchspace import PNAS_OPERATIONS, Cell
from pnas_tools._compare_data import comparison_as_csv, comparison_as_json
from pnas_tools._compare_result import CompareResult
from pnas_tools._compare_trial import Trial
from pnas_tools._config import PRESETS

CELLS = [Cell([[-1, name, -2, "identity"]]) for name in PNAS_OPERATIONS]


def trial(seed: int, accuracies: Sequence[float], n_interpolated: int = 0) -> Trial:
    return Trial(
        seed=seed,
        cells=CELLS[: len(accuracies)],
        accuracies=np.array(accuracies),
        n_examples=10.0 * np.arange(1, len(accuracies) + 1),
        n_examples_again=0,
        n_interpolated=n_interpolated,
    )


@pytest.fixture
def result() -> CompareResult:
    trials = {
        "progressive": [trial(4, [0.1, 0.2, 0.3, 0.4, 0.5]), trial(5, [0.7] * 5)],
        "random": [trial(4, [0.2, np.nan, 0.9], 1), trial(5, [0.2, 0.3, 0.4, 0.6], 4)],
    }
    configs = {name: replace(PRESETS["quick"], strategy=name, seed=4) for name in trials}
    return CompareResult(trials=trials, configs=configs, provenances=[{"python": "3"}])


def test_json_is_all_of_it_and_knows_no_nan(result: CompareResult) -> None:
    found = json.loads(json.dumps(comparison_as_json(result), allow_nan=False))
    assert (found["seeds"], found["reference"], found["benchmark"]) == ([4, 5], "progressive", None)
    assert found["provenances"] == [{"python": "3"}]
    one, five = found["table"]
    assert (one["top"], one["n_models"], one["n_examples"]) == (1, 5, 50)
    assert one["accuracy"]["mean"] == pytest.approx(0.6)
    (random,) = one["others"]
    assert (random["strategy"], random["is_reached"], random["n_models"]) == ("random", True, 3)
    assert random["difference"]["mean"] == pytest.approx(0.15)
    assert five["others"][0]["accuracy"] == {"mean": None, "low": None, "high": None}
    progressive, random = found["strategies"]
    assert (random["config"]["strategy"], random["interpolated"]) == ("random", pytest.approx(5 / 6))
    assert random["n_examples"] == [10, 20, 30, 35]
    assert [(trial["seed"], trial["n_models"], trial["n_failed"]) for trial in random["trials"]] == [
        (4, 3, 1),
        (5, 4, 0),
    ]
    assert random["trials"][0]["top"] == [{"top": 1, "accuracy": 0.9}, *({"top": m, "accuracy": None} for m in (5, 25))]
    curve = result.curve("progressive", 1)
    assert progressive["curves"][0] == {
        "top": 1,
        "mean": curve.mean.tolist(),
        "low": curve.low.tolist(),
        "high": curve.high.tolist(),
    }
    assert progressive["curves"][1]["mean"] == [None] * 4 + [pytest.approx(0.5)]


def test_csv_has_a_line_for_every_point_of_every_curve(result: CompareResult) -> None:
    lines = list(csv.DictReader(StringIO(comparison_as_csv(result))))
    points = [(line["strategy"], line["top"], line["n_models"]) for line in lines]
    assert points == [
        *(("progressive", "1", str(n)) for n in range(1, 6)),
        ("progressive", "5", "5"),
        *(("random", "1", str(n)) for n in range(1, 5)),
    ]
    curve = result.curve("random", 1)
    assert [float(line["high"]) for line in lines[-4:]] == pytest.approx(curve.high.tolist(), abs=1e-6)
    assert lines[-1]["n_examples"] == "35.0"


def test_of_one_trial_csv_leaves_the_interval_out(result: CompareResult) -> None:
    alone = replace(result, trials={name: trials[:1] for name, trials in result.trials.items()})
    assert all(
        line["low"] == line["high"] == "" != line["mean"] for line in csv.DictReader(StringIO(comparison_as_csv(alone)))
    )
    assert json.loads(json.dumps(comparison_as_json(alone), allow_nan=False))["table"][0]["accuracy"]["low"] is None
