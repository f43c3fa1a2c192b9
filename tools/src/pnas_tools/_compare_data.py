"""What `pnas-tools compare` found, as plain data."""

import csv
import dataclasses
import math
from io import StringIO
from typing import Any

import numpy as np

from pnas_surrogate.benchmark import Interval
from pnas_tools._compare_curve import Curve
from pnas_tools._compare_result import CompareResult
from pnas_tools._compare_trial import TOPS, Trial


def comparison_as_json(result: CompareResult) -> dict[str, Any]:
    """All of it: configs, seeds, curves, table 2, and the versions that it was made with."""
    return {
        "benchmark": result.benchmark,
        "seeds": result.seeds,
        "reference": result.reference,
        "table": [_of_top(result, top) for top in result.tops],
        "strategies": [_of_strategy(result, strategy) for strategy in result.trials],
        "provenances": result.provenances,
    }


def comparison_as_csv(result: CompareResult) -> str:
    """The curves: a line for every strategy, M and number of models from where there is a mean on."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["strategy", "top", "n_models", "n_examples", "mean", "low", "high"])
    for strategy in result.trials:
        n_examples = result.examples(strategy)
        for top in TOPS:
            curve = result.curve(strategy, top)
            for index in np.flatnonzero(~np.isnan(curve.mean)):
                numbers = [curve.mean[index], curve.low[index], curve.high[index]]
                texts = ["" if math.isnan(number) else f"{number:.6f}" for number in numbers]
                writer.writerow([strategy, top, index + 1, f"{n_examples[index]:.1f}", *texts])
    return file.getvalue()


def _of_top(result: CompareResult, top: int) -> dict[str, Any]:
    target = result.target(top)
    return {
        "top": top,
        "accuracy": _interval(target.accuracy),
        "expected": _interval(result.expected(result.reference, top)),
        "n_models": target.n_models,
        "n_examples": target.n_examples,
        "others": [_of_other(result, strategy, top) for strategy in result.others],
    }


def _of_other(result: CompareResult, strategy: str, top: int) -> dict[str, Any]:
    found = result.efficiency(strategy, top)
    intervals = {
        "accuracy": _interval(found.accuracy),
        "expected": _interval(result.expected(strategy, top)),
        "difference": _interval(found.difference),
    }
    return {"strategy": strategy, **dataclasses.asdict(found), **intervals}


def _of_strategy(result: CompareResult, strategy: str) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "config": result.configs[strategy].as_json(),
        "interpolated": result.interpolated(strategy),
        "n_examples": result.examples(strategy).tolist(),
        "curves": [{"top": top, **_curve(result.curve(strategy, top))} for top in TOPS],
        "trials": [_trial(trial) for trial in result.trials[strategy]],
    }


def _interval(one: Interval | None) -> dict[str, float | None] | None:
    if one is None:
        return None
    return {"mean": _number(one.mean), "low": _number(one.low), "high": _number(one.high)}


def _curve(one: Curve) -> dict[str, list[float | None]]:
    return {
        name: [_number(value) for value in values.tolist()]
        for name, values in (("mean", one.mean), ("low", one.low), ("high", one.high))
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "seed": trial.seed,
        "n_models": trial.n_models,
        "n_failed": trial.n_failed,
        "n_interpolated": trial.n_interpolated,
        "n_examples": trial.n_examples_in_all,
        "top": [{"top": top, "accuracy": _number(float(means[-1]))} for top, means in trial.top_means.items()],
    }


def _number(value: float) -> float | None:
    """As JSON can hold it."""
    return None if math.isnan(value) else value
