import json
from dataclasses import replace
from pathlib import Path

import pytest

from pnas_search import Candidate, Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._compare_runs import PlannedTrial, check_trials, finished_trials, planned_trials, read_trials
from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput

CELL = Cell([[-2, "identity", -1, "identity"]])
CONFIGS = [replace(PRESETS["quick"], strategy=strategy, seed=5) for strategy in ("progressive", "random")]


def finish(trial: PlannedTrial, accuracy: float) -> None:
    """As a search of one model would."""
    with trial.run.opened(trial.config, {"python": "3"}) as ledger:
        request = Request(cell=CELL, seed=trial.config.seed, parent=None)
        ledger.add_round(0, [Candidate(cell=CELL)], [request])
        ledger.record(
            request, Outcome(status="finished", accuracy=accuracy, accuracies=(accuracy,), n_examples=8, seconds=1)
        )
    found = {"best_cell": CELL, "best_accuracy": accuracy, "n_models": 1, "n_examples": 8}
    trial.run.result.write_text(json.dumps(found | {"levels": [], "config": trial.config.as_json()}))


def test_every_strategy_has_every_seed_and_a_seed_is_complete_before_the_next_begins(tmp_path: Path) -> None:
    trials = planned_trials(CONFIGS, 2, tmp_path)
    assert [(trial.config.strategy, trial.config.seed) for trial in trials] == [
        *(("progressive", 5), ("random", 5), ("progressive", 6), ("random", 6))
    ]
    assert [trial.run.path for trial in trials[1:3]] == [tmp_path / "random-seed5", tmp_path / "progressive-seed6"]


def test_so_far_there_are_the_seeds_that_every_strategy_has_finished(tmp_path: Path) -> None:
    trials = planned_trials(CONFIGS, 3, tmp_path)
    finish(trials[0], 0.5)
    with pytest.raises(BadInput, match="no seed is finished by every strategy so far"):
        finished_trials(trials)
    for trial in (trials[1], trials[4], trials[5]):
        finish(trial, 0.5)
    assert finished_trials(trials) == [trials[0], trials[1], trials[4], trials[5]]


def test_trials_are_read_from_their_ledgers(tmp_path: Path) -> None:
    trials = planned_trials(CONFIGS, 2, tmp_path)
    for trial, accuracy in zip(trials, (0.1, 0.2, 0.3, 0.4), strict=True):
        finish(trial, accuracy)
    result = read_trials(trials)
    assert {name: [float(trial.accuracies[0]) for trial in found] for name, found in result.trials.items()} == {
        "progressive": [0.1, 0.3],
        "random": [0.2, 0.4],
    }
    assert result.seeds == [5, 6]
    assert [result.configs[name].strategy for name in result.trials] == ["progressive", "random"]
    assert result.provenances == [{"python": "3"}]


def test_a_folder_of_another_config_is_refused_before_anything_runs(tmp_path: Path) -> None:
    finish(planned_trials(CONFIGS, 1, tmp_path)[1], 0.5)
    others = planned_trials([replace(config, beam_size=3) for config in CONFIGS], 1, tmp_path)
    with pytest.raises(BadInput, match="random-seed5 holds a run of another config, --beam is 16 there and 3 here"):
        check_trials(others)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["random-seed5"]
