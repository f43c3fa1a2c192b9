"""From what was asked for on the command line to the plan of a final training."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pnas_models import WeightFile
from pnas_search import Ledger, LedgerError
from pnas_searchspace import Cell
from pnas_tools._errors import BadInput
from pnas_tools._image_folders import find_test_part
from pnas_tools._network_choice import NetworkChoice, choose_network, with_weights
from pnas_tools._run_folder import RunFolder
from pnas_tools._training._folder import trained_file
from pnas_tools._training._plan import (
    FILTERS_FACTOR,
    MORE_REPEATS,
    OF_RUN,
    TrainingPlan,
    default_recipe,
    recipe_config,
    recipe_network,
)
from pnas_tools._training._process_group import ProcessGroup
from pnas_trainer import DATASETS, check_dataset

KeepOpen = Callable[[AbstractContextManager[WeightFile]], WeightFile]

_AROUND_A_CELL = ("network", "n_filters", "n_repeats", "stem_filters")
_OF_TRAINING = ("n_epochs", "batch_size", "learning_rate", "precision")
_OF_NETWORK = ("auxiliary", "drop_path_rate")
_ANY_CELL = [[-2, "identity", -1, "identity"]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A final training that was asked for.

    Attributes:
        plan: of it.
        choice: the network.
    """

    plan: TrainingPlan
    choice: NetworkChoice

    @classmethod
    def of_options(cls, text: str, options: dict[str, Any], group: ProcessGroup, keep_open: KeepOpen) -> "Request":
        """What RUN, CELL, NAME or FILE, and the options of `pnas-tools train`, ask for.

        Raises:
            BadInput: they do not go together, or the run is not finished.
            ModelError: there is no such network, or there are no such weights.
        """
        return cls._of(text, finished_run(text), options, group, keep_open)

    @classmethod
    def after_search(cls, config: dict[str, Any], options: dict[str, Any], keep_open: KeepOpen) -> "Request":
        """The training that will follow a search of this config, with a cell in it that need not be the one found.

        Raises:
            BadInput, ModelError: as `of_options` would.
        """
        found = {"best_cell": _ANY_CELL, "config": config}
        return cls._of("", found, options, ProcessGroup.of_environment(), keep_open)

    @classmethod
    def _of(
        cls,
        text: str,
        run: dict[str, Any] | None,
        options: dict[str, Any],
        group: ProcessGroup,
        keep_open: KeepOpen,
    ) -> "Request":
        given = {name: value for name, value in options.items() if value is not None}
        choice = _choice(text, run, given, keep_open)
        config = choice.empty.config
        dataset = given.get("dataset", run["config"]["dataset"] if run else "digits")
        _check_dataset(dataset, run, given)
        recipe = given.get("recipe") or default_recipe(config, choice.model, dataset, is_of_run=run is not None)
        training = recipe_config(recipe, run and run["config"], {x: given[x] for x in _OF_TRAINING if x in given})
        network = {**config, **recipe_network(recipe), **{x: given[x] for x in _OF_NETWORK if x in given}}
        is_as_searched = recipe == OF_RUN and "dataset" not in given
        plan = TrainingPlan(
            network={
                name: x for name, x in network.items() if name not in ("num_classes", "in_channels", "image_size")
            },
            weights=_digest(choice),
            dataset=dataset,
            train_images=given.get("train_images"),
            shrink_to=run["config"].get("shrink_to") if run and is_as_searched else None,
            image_size=_image_size(choice, dataset, given),
            recipe=recipe,
            training=training,
            seed=given["seed"],
            device=given.get("device", run["config"]["device"] if run else "cpu"),
            n_processes=group.n,
        )
        return cls(plan=plan, choice=choice)


def finished_run(text: str) -> dict[str, Any] | None:
    """The result of the search in a folder; None where the text is no such folder.

    Raises:
        BadInput: the search is not finished.
    """
    run = RunFolder(Path(text))
    if not run.holds_run():
        return None
    result = run.read_result()
    if result is None:
        try:
            Ledger.read(run.ledger).close()
        except LedgerError as error:
            raise BadInput(str(error)) from error
        raise BadInput(
            f"the search in {text} is not finished: go on with it by the command that pnas-tools status prints, or "
            "give the best cell so far, which pnas-tools show prints, in place of the folder"
        )
    return result


def _choice(text: str, run: dict[str, Any] | None, given: dict[str, Any], keep_open: KeepOpen) -> NetworkChoice:
    around = {name: given[name] for name in _AROUND_A_CELL if name in given}
    if run is None:
        text = trained_file(text)
    else:
        text = str(Cell(run["best_cell"]))
        if around.get("network", "cifar") == "cifar":  # larger than the children by as much as in the paper
            around.setdefault("n_filters", FILTERS_FACTOR * run["config"]["n_filters"])
            around.setdefault("n_repeats", MORE_REPEATS + run["config"]["n_repeats"])
    choice = choose_network(text, around, keep_open)
    return with_weights(choice, given["weights_text"], None, keep_open) if "weights_text" in given else choice


def _check_dataset(dataset: str, run: dict[str, Any] | None, given: dict[str, Any]) -> None:
    if run is not None and "dataset" not in given and dataset not in DATASETS and not Path(dataset).exists():
        raise BadInput(
            f"the networks of this search were trained on {dataset}, which is not here: "
            "pass its folder, or another data set, with --dataset"
        )
    check_dataset(dataset)
    if Path(dataset).is_dir() and dataset not in DATASETS and find_test_part(Path(dataset)) is None:
        raise BadInput(f"{dataset} must hold a folder train and beside it test or val, with a folder for each class")


def _image_size(choice: NetworkChoice, dataset: str, given: dict[str, Any]) -> int | None:
    """Of the images of a folder that a network for ImageNet is trained on; None for images in memory."""
    if choice.empty.config["network"] == "imagenet" and Path(dataset).is_dir():
        return int(given.get("image_size", choice.image_size))
    if "image_size" in given:
        raise BadInput(
            f"--image-size is of a folder that a network for ImageNet is trained on, and {dataset} is not for one: "
            "leave it out, or pass --network imagenet and the folder with --dataset"
        )
    return None


def _digest(choice: NetworkChoice) -> str | None:
    if choice.file is None:
        return None
    if not choice.file.path.is_file():  # TensorFlow's checkpoints are several files
        return str(choice.file.path)
    with choice.file.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
