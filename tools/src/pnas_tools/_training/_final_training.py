"""A final training, from its plan to the file of weights and the result."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pnas_models import CellNetwork, network_of, save_weights
from pnas_tools._errors import BadInput, Failed
from pnas_tools._files import write_json_atomically
from pnas_tools._network_choice import NetworkChoice
from pnas_tools._preparation import Preparation
from pnas_tools._provenance import provenance
from pnas_tools._training._data import final_data
from pnas_tools._training._folder import TrainingFolder
from pnas_tools._training._plan import TrainingPlan
from pnas_tools._training._process_group import ProcessGroup
from pnas_trainer import (
    Checkpoint,
    ImageDataset,
    ImageFolders,
    Preprocessing,
    TrainConfig,
    TrainerError,
    TrainResult,
    train,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinalTraining:
    """What a final training needs besides its plan; none of it decides the outcome.

    Attributes:
        plan: what is trained, and how.
        choice: the network that was asked for.
        folder: of the training, opened.
        group: of the processes that train together.
        on_step: told how far it is.
        seconds_between_checkpoints: at least.
        n_workers: processes that decode images of a folder.
    """

    plan: TrainingPlan
    choice: NetworkChoice
    folder: TrainingFolder
    group: ProcessGroup
    on_step: Callable[[float, Sequence[float]], None]
    seconds_between_checkpoints: float
    n_workers: int | None

    def run(self) -> dict[str, Any]:
        """Train, or go on with it; give the result, which the first process has written then.

        Raises:
            BadInput: the images, the device, or values that do not go together.
            Failed: the training diverged, or memory was short.
        """
        with self.group.joined(self.plan.device):
            with self.group.first_goes_first():
                data, preparation = final_data(self.plan, self.n_workers)
            config = self._network_config(data.num_classes, preparation)
            try:
                trained = train(
                    partial(_make_network, config, self._initial_weights(config)),
                    data,
                    self._training(data),
                    seed=self.plan.seed,
                    device=self.group.device(self.plan.device),
                    on_step=self.on_step,
                    checkpoint=Checkpoint(path=self.folder.checkpoint, seconds=self.seconds_between_checkpoints),
                    keep_weights=True,
                    distributed=self.group.n > 1,
                )
            except TrainerError as error:
                raise BadInput(str(error)) from error
        _check_finished(trained)
        result = self._result(trained, data.num_classes)
        if self.group.is_first:
            _save_network(config, trained, preparation, self.folder.network)
            write_json_atomically(self.folder.result, result)
            self.folder.checkpoint.unlink(missing_ok=True)
        return result

    def _network_config(self, num_classes: int, preparation: Preparation) -> dict[str, Any]:
        config = {**self.plan.network, "num_classes": num_classes, "in_channels": preparation.channels}
        if self.choice.file is not None and self.choice.empty.config["in_channels"] != preparation.channels:
            raise BadInput(
                f"{self.choice.name} is for images of {self.choice.empty.config['in_channels']} channels, and those of "
                f"{self.plan.dataset} have {preparation.channels}: choose another data set, or begin without weights"
            )
        return {**config, "image_size": preparation.input_size if config["auxiliary"] else None}

    def _initial_weights(self, config: dict[str, Any]) -> "dict[str, Tensor] | None":
        """Those of the file, without a classifier of other classes."""
        if self.choice.file is None:
            return None
        network = self.choice.network()
        is_kept = network.num_classes == config["num_classes"]
        state = network.state_dict()
        return {name: x for name, x in state.items() if is_kept or not name.startswith("classifier.")}

    def _training(self, data: ImageDataset | ImageFolders) -> TrainConfig:
        """Images of folders are cut out as they are read, and take no preprocessing besides."""
        if isinstance(data, ImageFolders):
            return dataclasses.replace(self.plan.training, preprocessing=Preprocessing())
        return self.plan.training

    def _result(self, trained: TrainResult, num_classes: int) -> dict[str, Any]:
        fields = {name: value for name, value in vars(trained).items() if name not in ("weights", "versions")}
        return {
            "network": self.choice.name,
            "accuracy": trained.accuracy,
            "num_classes": num_classes,
            **fields,
            "config": self.plan.as_json(),
            "provenance": provenance(),
        }


def _make_network(config: dict[str, Any], weights: "dict[str, Tensor] | None") -> CellNetwork:
    network = network_of(config)
    if weights is not None:
        network.load_state_dict(weights, strict=False)  # without a new classifier, or a new auxiliary head
    return network


def _check_finished(trained: TrainResult) -> None:
    epoch = len(trained.losses)
    if trained.status == "diverged":
        raise Failed(
            f"the training diverged in epoch {epoch}: try a lower --learning-rate, in another folder with --out"
        )
    if trained.status == "out_of_memory":
        raise Failed("not even one image at a time fits into memory: try fewer --filters or --repeats")


def _save_network(config: dict[str, Any], trained: TrainResult, preparation: Preparation, path: Path) -> None:
    assert trained.weights is not None  # they were asked for
    network = network_of(config)
    network.load_state_dict(dict(trained.weights))
    save_weights(network, path, notes=preparation.notes())
