"""What a final training is, decided before any image is read."""

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput

if TYPE_CHECKING:  # importing torch takes seconds
    from pnas_trainer import TrainConfig

OF_RUN = "run"
RECIPE_NAMES = ("proxy_paper", "proxy_quick", "cifar10_final", "imagenet_mobile", "imagenet_large", OF_RUN)
"""The recipes of `pnas_trainer`, and the search's own training for longer."""

# What the paper's final networks for CIFAR-10 have more than its children: E 20 and 600, F 24 and 48, N 2 and 3.
EPOCHS_FACTOR, FILTERS_FACTOR, MORE_REPEATS = 30, 2, 1

# Section 5.4 of the paper, and TF-Slim's configs of the two networks for ImageNet.
_NETWORKS: dict[str, dict[str, Any]] = {
    "cifar10_final": {"auxiliary": True, "drop_path_rate": 0.4},
    "imagenet_mobile": {"auxiliary": True},
    "imagenet_large": {"auxiliary": True, "drop_path_rate": 0.4},
}


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Everything that decides the outcome of a final training, and nothing else.

    Attributes:
        network: of the `CellNetwork.config`, without what the images decide.
        weights: the SHA-256 of the file that it begins with; None for random weights.
        dataset: as `load_dataset` takes it, or a folder with `train` and `val`.
        train_images: at most so many train; None for all.
        shrink_to: side of the images after taking means over squares.
        image_size: side of the images of a folder that is read while the network trains; None for images in memory.
        recipe: the name of what `training` was made from.
        training: how it is trained.
        seed: of the weights, the order of the images, and what is random in them.
        device: to train on.
        n_processes: that train together.
    """

    network: dict[str, Any]
    weights: str | None
    dataset: str
    train_images: int | None
    shrink_to: int | None
    image_size: int | None
    recipe: str
    training: "TrainConfig"
    seed: int
    device: str
    n_processes: int

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON can hold it, flat, so that two of them are compared by name."""
        training = {**asdict(self.training), "schedule": repr(self.training.schedule)}
        preprocessing = training.pop("preprocessing")
        others = {name: value for name, value in vars(self).items() if name not in ("network", "training")}
        return {**others, **self.network, **training, **preprocessing}


def default_recipe(network: dict[str, Any], model: str | None, dataset: str, *, is_of_run: bool) -> str:
    """The recipe of a training that names none."""
    if network["network"] == "imagenet":
        return "imagenet_large" if model == "pnasnet5_large" else "imagenet_mobile"
    if dataset in ("cifar10", "cifar100"):
        return "cifar10_final"
    return OF_RUN if is_of_run else "proxy_quick"


def recipe_config(name: str, run: dict[str, Any] | None, given: dict[str, Any]) -> "TrainConfig":
    """How a recipe trains, with what was given in its place.

    Args:
        name: of the recipe.
        run: the config of the search, as its result has it; None where no search was named.
        given: fields of `TrainConfig`.

    Raises:
        BadInput: the recipe is a run's, and there is none, or values do not go together.
    """
    from pnas_tools._child import train_config
    from pnas_trainer import RECIPES, TrainerError

    try:
        if name != OF_RUN:
            return replace(RECIPES[name], **given)
        if run is None:
            raise BadInput(f"--recipe {OF_RUN} trains as a search did: name its RUN, or another recipe")
        training = train_config(_search_config(run))
        return replace(training, **{"n_epochs": EPOCHS_FACTOR * training.n_epochs, **given})
    except TrainerError as error:
        raise BadInput(str(error)) from error


def _search_config(run: dict[str, Any]) -> SearchConfig:
    """The config of a search, from its JSON; a later version's further settings are not of training."""
    known = {field.name for field in fields(SearchConfig)}
    return SearchConfig.from_json({name: value for name, value in run.items() if name in known})


def recipe_network(name: str) -> dict[str, Any]:
    """What a recipe asks of the network around a cell."""
    return {"auxiliary": False, "drop_path_rate": 0.0, **_NETWORKS.get(name, {})}
