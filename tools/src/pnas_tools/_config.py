import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import click

from pnas_searchspace import PNAS_OPERATIONS
from pnas_tools._arithmetic import NATIVE, PORTABLE
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import TRAIN
from pnas_tools._parameter_types import (
    AMOUNT,
    DURATION,
    NUMBER_FROM_ZERO,
    POSITIVE,
    POSITIVE_NUMBER,
    SEED,
    SHARE,
    Device,
    EvaluatorName,
    FiniteRange,
    Folders,
    IntegerPair,
    IntegerRange,
    Names,
    OneOf,
    OrNone,
)
from pnas_tools._strategy_names import ACQUISITIONS, COSTS, STRATEGIES
from pnas_tools._surrogate_predictors import PREDICTORS

OPTION = "option"
_OF_TRAINING = "of training"


def _setting(
    flag: str,
    kind: "click.ParamType[Any]",
    help: str,
    default: Any = dataclasses.MISSING,
    *,
    of_training: bool = True,
) -> Any:
    """A field that is also an option; it decides how accurate a given cell is, or only what is trained."""
    return dataclasses.field(default=default, metadata={OPTION: (flag, kind, help), _OF_TRAINING: of_training})


_search_setting = partial(_setting, of_training=False)


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """Everything that decides the outcome of a search, and nothing else.

    The paper's letters are B for `n_blocks`, K for `beam_size`, F for `n_filters`, N for `n_repeats` and E for
    `n_epochs`. What has a default here the paper does not state, or it is the same in every preset.
    """

    dataset: str = _setting(
        "--dataset", click.STRING, "digits, cifar10, cifar100, fashion_mnist, a folder or an .npz file."
    )
    n_blocks: int = _search_setting("--blocks", POSITIVE, "B, the blocks of the cell that is looked for.")
    beam_size: int = _search_setting("--beam", POSITIVE, "K, the cells of each size above one that are trained.")
    n_filters: int = _setting("--filters", POSITIVE, "F, the filters of the first cell.")
    n_repeats: int = _setting("--repeats", POSITIVE, "N, the cells in each of the network's three stages.")
    n_epochs: int = _setting("--epochs", POSITIVE, "E, the passes over the images for each child.")
    batch_size: int = _setting("--batch-size", POSITIVE, "Images in a step of SGD.")
    learning_rate: float = _setting("--learning-rate", POSITIVE_NUMBER, "At the first step; a cosine takes it to 0.")
    seed: int = _search_setting("--seed", SEED, "Of the whole search.", 0)
    evaluator: str = _search_setting(
        "--evaluator", EvaluatorName(), "Who says how accurate a cell is: training, or a table of trained cells.", TRAIN
    )
    device: str = _setting("--device", Device(), "What children are trained on.", "cpu")

    operations: tuple[str, ...] = _search_setting(
        "--operations", Names("operation", PNAS_OPERATIONS), "The operations a block may apply.", PNAS_OPERATIONS
    )
    validation_fraction: float = _setting("--validation-fraction", SHARE, "Share of the images that measure.", 0.1)
    split_seed: int = _setting("--split-seed", SEED, "Which images these are.", 0)
    train_images: int | None = _setting(
        "--train-images", OrNone(POSITIVE), "At most so many images train; `none` for all.", None
    )
    validation_images: int | None = _setting(
        "--validation-images", OrNone(POSITIVE), "At most so many images measure; `none` for all.", None
    )
    shrink_to: int | None = _setting(
        "--shrink-to", OrNone(POSITIVE), "Side of the images after taking means over squares.", None
    )
    momentum: float = _setting("--momentum", FiniteRange(0, 1, max_open=True), "Of SGD.", 0.9)
    nesterov: bool = _setting("--nesterov", click.BOOL, "Whether it is Nesterov's.", False)
    weight_decay: float = _setting("--weight-decay", NUMBER_FROM_ZERO, "Of SGD.", 5e-4)
    max_gradient_norm: float | None = _setting(
        "--max-gradient-norm", OrNone(POSITIVE_NUMBER), "What gradients are clipped to.", 5.0
    )
    whitening: str = _setting("--whitening", OneOf(["channel", "image"]), "Whose mean and deviation.", "channel")
    upsample_to: int | None = _setting("--upsample-to", OrNone(POSITIVE), "Side of the images before the crop.", None)
    crop_to: int | None = _setting("--crop-to", OrNone(POSITIVE), "Side of the random crop.", None)
    flip: bool = _setting("--flip", click.BOOL, "Whether half of the images are mirrored.", False)
    warm_start: bool = _setting(
        "--warm-start", click.BOOL, "Whether a child begins with its parent's weights in the blocks they share.", False
    )
    early_stopping: float | None = _setting(
        "--early-stopping",
        OrNone(FiniteRange(min=0.5, max=1, max_open=True)),
        "Stops a child once it is so sure that it stays below the K best of all earlier levels; `none` stops none.",
        None,
    )
    precision: str = _setting(
        "--precision", OneOf(["float32", "bfloat16"]), "What networks compute in, where PyTorch can.", "float32"
    )
    arithmetic: str = _setting(
        "--arithmetic", OneOf([NATIVE, PORTABLE]), "With `portable` all CPUs that have AVX2 round alike.", NATIVE
    )
    threads_per_child: int = _setting("--threads-per-child", POSITIVE, "Of the CPU; sums depend on it.", 1)

    strategy: str = _search_setting(
        "--strategy", OneOf(STRATEGIES), "What decides which cells are trained.", "progressive"
    )
    n_models: int | None = _search_setting(
        "--models", OrNone(POSITIVE), "Cells that are trained; `none` for as many as `progressive` would train.", None
    )
    round_size: int = _search_setting(
        "--round-size", POSITIVE, "Cells that other strategies than `progressive` ask for at once.", 16
    )
    population_size: int | None = _search_setting(
        "--population",
        OrNone(POSITIVE),
        "Of evolution: the cells that live; `none` for 100, or a fifth of --models if that is less.",
        None,
    )
    tournament_size: int | None = _search_setting(
        "--tournament",
        OrNone(POSITIVE),
        "Of evolution: the cells of which the best has a child; `none` for a quarter of those that live.",
        None,
    )
    policy_gradient: str = _search_setting(
        "--policy-gradient", OneOf(["ppo", "reinforce"]), "Of reinforce: how its policy learns.", "ppo"
    )
    n_reranked: int = _search_setting(
        "--rerank", IntegerRange(min=0), "So many of the best are trained once more at the end, for longer.", 0
    )
    rerank_fidelity: int = _search_setting(
        "--rerank-fidelity", IntegerRange(min=2), "How many times as long these train.", 15
    )
    acquisition: str = _search_setting(
        "--acquisition", OneOf(ACQUISITIONS), "Of progressive: what cells are ranked by.", "mean"
    )
    exploration: float = _search_setting(
        "--exploration",
        FiniteRange(0, 1, max_open=True),
        "Of progressive: the share of every level that tries what was tried least.",
        0.0,
    )
    beam_range: tuple[int, int] | None = _search_setting(
        "--beam-range",
        OrNone(IntegerPair()),
        "Of progressive: between which K adapts to how wrong the surrogate was; `none` for always K.",
        None,
    )
    trade_off: tuple[str, ...] | None = _search_setting(
        "--trade-off", OrNone(Names("cost", COSTS)), "Of progressive: what is to be low while accuracy is high.", None
    )
    params_below: float | None = _search_setting("--params-below", OrNone(AMOUNT), "Of every cell's network.", None)
    multiply_adds_below: float | None = _search_setting(
        "--multiply-adds-below", OrNone(AMOUNT), "Of every cell's network, for an image.", None
    )
    latency_below: float | None = _search_setting(
        "--latency-below", OrNone(DURATION), "Of every cell's network, as measured on --device.", None
    )
    prior_runs: tuple[str, ...] | None = _search_setting(
        "--prior-runs", OrNone(Folders()), "Of progressive: earlier runs that the surrogate learns from too.", None
    )

    surrogate: str = _search_setting(
        "--surrogate", OneOf(PREDICTORS), "What ranks cells that are not trained yet.", "mlp-ensemble"
    )
    n_members: int = _search_setting("--members", IntegerRange(min=2), "Networks in the surrogate's ensemble.", 5)
    surrogate_epochs: int = _search_setting(
        "--surrogate-epochs", POSITIVE, "Passes over the children in fitting it.", 50
    )
    surrogate_batch_size: int = _search_setting("--surrogate-batch-size", POSITIVE, "Children in a step of that.", 32)
    surrogate_first_learning_rate: float = _search_setting(
        "--surrogate-first-learning-rate", POSITIVE_NUMBER, "Adam's, fitted to one-block cells.", 0.01
    )
    surrogate_learning_rate: float = _search_setting(
        "--surrogate-learning-rate", POSITIVE_NUMBER, "Adam's, once larger cells are there.", 0.002
    )

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in dataclasses.asdict(self).items()}

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> Self:
        """The config that `as_json` gave, in this version or an earlier one, which had fewer settings.

        Raises:
            BadInput: it is of a later one, or of another program.
        """
        fields = dataclasses.fields(cls)
        if unknown := sorted(settings.keys() - {field.name for field in fields}):
            raise BadInput(
                f"the run has the setting {unknown[0]!r}, which this version of pnas-tools does not know: update it"
            )
        if missing := sorted(cls.required() - settings.keys()):
            raise BadInput(f"the run lacks the setting {missing[0]!r}: it is none that pnas-tools search has begun")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
        }
        return cls(**values)

    @classmethod
    def flags(cls) -> dict[str, str]:
        """The option of every setting."""
        return {field.name: str(field.metadata[OPTION][0]) for field in dataclasses.fields(cls)}

    @classmethod
    def required(cls) -> set[str]:
        """The settings that have no default, and that every config has had since the first version."""
        return {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING}

    def not_default(self) -> dict[str, Any]:
        """As `as_json`, without settings that have their default: later versions, with more of them, give the same."""
        defaults = self.defaults()
        settings = self.as_json().items()
        return {name: value for name, value in settings if name not in defaults or value != defaults[name]}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The values of settings that have a default, as JSON can hold them."""
        defaults = {field.name: field.default for field in dataclasses.fields(cls)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in defaults.items()
            if value is not dataclasses.MISSING
        }

    def training(self) -> dict[str, Any]:
        """The settings that decide how accurate a given cell is, and nothing of what is trained."""
        of_training = {field.name for field in dataclasses.fields(self) if field.metadata[_OF_TRAINING]}
        return {name: value for name, value in self.as_json().items() if name in of_training}


PRESETS = {
    "quick": SearchConfig(
        dataset="digits",
        n_blocks=3,
        beam_size=16,
        n_filters=8,
        n_repeats=1,
        n_epochs=3,
        batch_size=96,
        learning_rate=0.1,
        validation_fraction=0.2,
    ),
    # Section 5.1. The paper does not give the batch size; it is that of NASNet's code for CIFAR-10.
    "paper": SearchConfig(
        dataset="cifar10",
        n_blocks=5,
        beam_size=256,
        n_filters=24,
        n_repeats=2,
        n_epochs=20,
        batch_size=32,
        learning_rate=0.01,
        upsample_to=40,
        crop_to=32,
        flip=True,
    ),
}
