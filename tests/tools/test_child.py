import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from pnas_models import inherit
from pnas_search import Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._child import ChildTrainer, _network, train_config
from pnas_tools._config import PRESETS
from pnas_tools._heirs import CURVES, WEIGHTS
from pnas_trainer import RECIPES, load_dataset


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_the_presets_train_by_the_trainers_recipes(preset: str) -> None:
    assert train_config(PRESETS[preset]) == RECIPES[f"proxy_{preset}"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "images.npz"
    load_dataset("digits", validation_fraction=0.2).save(path)
    return path


def trainer(digits: Path, **settings: object) -> Callable[[Request], Outcome]:
    return ChildTrainer(config=dataclasses.replace(PRESETS["quick"], **settings), data=digits)()


PARENT = Cell([(-1, "identity", -1, "identity")])
CHILD = Cell([(-1, "identity", -1, "identity"), (-1, "identity", 0, "max_pool_3x3")])


def test_a_child_is_trained_and_says_what_it_cost(digits: Path) -> None:
    outcome = trainer(digits, n_epochs=1)(Request(cell=PARENT, seed=1, parent=None))
    assert outcome.status == "finished"
    assert outcome.accuracies == (outcome.accuracy,)
    assert outcome.n_examples == 1438
    assert outcome.measurements["n_parameters"] > 100
    assert outcome.measurements["multiply_adds"] > 1000
    assert not outcome.attachments


def test_a_child_that_inherits_begins_where_its_parent_ended(digits: Path) -> None:
    config = dataclasses.replace(PRESETS["quick"], n_epochs=1, warm_start=True)
    train_child = ChildTrainer(config=config, data=digits)()
    weights = train_child(Request(cell=PARENT, seed=1, parent=None)).attachments[WEIGHTS]
    request = Request(cell=CHILD, seed=2, parent=PARENT)
    heir = dataclasses.replace(request, attachments={WEIGHTS: weights})
    state, inherited = _network(heir, config, 10, 1).state_dict(), inherit(load(weights), PARENT, CHILD)
    assert "classifier.weight" in inherited
    assert all(torch.equal(state[name], tensor) for name, tensor in inherited.items())
    assert train_child(heir).accuracies != train_child(request).accuracies


def test_a_child_that_will_not_be_among_the_best_is_stopped_with_what_it_was_expected_to_reach(digits: Path) -> None:
    # Those that end well were far better after two epochs than any child is.
    finished = tuple((0.97 + i / 1000, 0.97 + i / 1000, 0.97 + i / 1000) for i in range(20))
    train_child = trainer(digits, n_epochs=3, early_stopping=0.5, beam_size=5)
    request = Request(cell=PARENT, seed=1, parent=None)
    outcome = train_child(dataclasses.replace(request, attachments={CURVES: finished}))
    assert outcome.status == "stopped"
    assert len(outcome.accuracies) == 2
    assert outcome.n_examples == 2 * 1438
    assert outcome.accuracy is not None
    assert outcome.accuracy < 0.97
    unjudged = train_child(dataclasses.replace(request, attachments={CURVES: ()}))
    assert unjudged.status == "finished"
