import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from pnas_searchspace import Cell
from pnas_tools._compare_plot import plot_comparison
from pnas_tools._compare_result import CompareResult
from pnas_tools._compare_trial import Trial
from pnas_tools._config import PRESETS
from pnas_tools._strategy_names import STRATEGIES

CELL = Cell([[-1, "identity", -2, "identity"]])
SVG = "{http://www.w3.org/2000/svg}"


def result(n_trials: int, n_models: int = 60) -> CompareResult:
    rng = np.random.default_rng(0)

    def trial(seed: int) -> Trial:
        return Trial(
            seed=seed,
            cells=[CELL] * n_models,
            accuracies=rng.random(n_models),
            n_examples=np.arange(n_models) + 1.0,
            n_examples_again=0,
            n_interpolated=0,
        )

    trials = {strategy: [trial(seed) for seed in range(n_trials)] for strategy in STRATEGIES}
    configs = {strategy: dataclasses.replace(PRESETS["quick"], strategy=strategy) for strategy in STRATEGIES}
    return CompareResult(trials=trials, configs=configs, provenances=[])


def texts(image: bytes) -> list[str]:
    return [text.text or "" for text in ET.fromstring(image).iter(f"{SVG}text")]


def test_every_m_has_a_panel_and_every_strategy_a_name_once() -> None:
    found = result(3)
    image = plot_comparison(found, "svg")
    shown = texts(image)
    for text in ("M = 1", "M = 5", "M = 25", "models trained", *STRATEGIES):
        assert shown.count(text) == 1, text
    assert image == plot_comparison(found, "svg")


def test_one_trial_and_fewer_models_than_m_can_be_drawn() -> None:
    assert "M = 25" in texts(plot_comparison(result(1, n_models=20), "svg"))


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_other_formats(kind: str, begins: bytes) -> None:
    found = result(2)
    image = plot_comparison(found, kind)
    assert image.startswith(begins)
    assert image == plot_comparison(found, kind)


def test_intervals_are_drawn_from_three_trials_on() -> None:
    bands = [
        sum(
            "PolyCollection" in (group.get("id") or "") or "FillBetween" in (group.get("id") or "")
            for group in ET.fromstring(plot_comparison(result(n_trials), "svg")).iter(f"{SVG}g")
        )
        for n_trials in (2, 3)
    ]
    assert bands == [0, 3 * len(STRATEGIES)]
