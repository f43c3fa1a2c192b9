from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from torch import Tensor

from pnas_trainer._checks import check_below_one, check_not_negative, check_positive, check_truth, check_whole
from pnas_trainer._errors import TrainerError
from pnas_trainer._optimizers import SGD, Adam, Optimizer, RMSProp
from pnas_trainer._preprocessing import Preprocessing
from pnas_trainer._schedule import CosineSchedule, ExponentialSchedule, Schedule


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a classifier is trained.

    The defaults are those of the search in the paper (section 5.1) where it gives them; batch size, momentum, weight
    decay and clipping it does not give, and they are NASNet's for CIFAR-10.

    Attributes:
        n_epochs: E, passes over the training images.
        batch_size: images in a step. The last step of an epoch has what is left over; a single image goes with the step
            before it, since batch normalization has nothing to normalize in one.
        optimizer: `"sgd"` with momentum, `"adam"`, or TensorFlow's `"rmsprop"`.
        learning_rate: at its highest.
        schedule: how it changes.
        momentum: of SGD and RMSProp; Adam's first beta.
        nesterov: whether SGD's momentum is Nesterov's.
        rms_decay: of RMSProp's mean square; Adam's second beta.
        epsilon: under RMSProp's and Adam's root.
        weight_decay: added to the gradient, times the weight.
        max_gradient_norm: the norm over all gradients that they are scaled down to; None leaves them.
        label_smoothing: share of the target that is spread over all classes.
        auxiliary_weight: of the loss of auxiliary logits, for networks that give `(logits, auxiliary_logits)` in
            training.
        ema_decay: of the moving average of the weights that is measured in their place; None measures the weights.
        precision: `"bfloat16"` computes in that type where PyTorch's autocast does.
        deterministic: whether CUDA must give the same bits every time, which some operations pay for; on the CPU they
            always are the same.
        sync_batch_norm: whether batch normalizations see the images of all processes (CUDA only).
        preprocessing: of images in memory; those in folders are cut out and mirrored as they are read.
    """

    n_epochs: int = 20
    batch_size: int = 32
    optimizer: Literal["sgd", "adam", "rmsprop"] = "sgd"
    learning_rate: float = 0.01
    schedule: Schedule = field(default_factory=CosineSchedule)
    momentum: float = 0.9
    nesterov: bool = False
    rms_decay: float = 0.9
    epsilon: float = 1e-8
    weight_decay: float = 5e-4
    max_gradient_norm: float | None = 5.0
    label_smoothing: float = 0.0
    auxiliary_weight: float = 0.4
    ema_decay: float | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    deterministic: bool = False
    sync_batch_norm: bool = False
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def __post_init__(self) -> None:
        check_whole(1, n_epochs=self.n_epochs, batch_size=self.batch_size)
        for name, choices in (("optimizer", ("sgd", "adam", "rmsprop")), ("precision", ("float32", "bfloat16"))):
            if getattr(self, name) not in choices:
                raise TrainerError(f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}")
        check_positive(learning_rate=self.learning_rate, epsilon=self.epsilon)
        check_below_one(momentum=self.momentum, rms_decay=self.rms_decay, label_smoothing=self.label_smoothing)
        check_not_negative(weight_decay=self.weight_decay, auxiliary_weight=self.auxiliary_weight)
        check_positive(max_gradient_norm=self.max_gradient_norm, or_none=True)
        check_below_one(ema_decay=self.ema_decay, or_none=True)
        check_truth(nesterov=self.nesterov, deterministic=self.deterministic, sync_batch_norm=self.sync_batch_norm)
        if self.nesterov and (self.momentum == 0 or self.optimizer != "sgd"):
            raise TrainerError(
                f"nesterov needs SGD and a momentum greater than 0, not {self.optimizer} and {self.momentum!r}"
            )
        if not isinstance(self.preprocessing, Preprocessing):
            raise TrainerError(f"preprocessing must be a Preprocessing, not {self.preprocessing!r}")
        if not isinstance(self.schedule, Schedule):
            raise TrainerError(f"schedule must be a Schedule, such as CosineSchedule(), not {self.schedule!r}")
        self.schedule.factor(0.0, self.n_epochs)

    def make_optimizer(self, parameters: Sequence[Tensor]) -> Optimizer:
        """The optimizer of these settings for a list of parameters."""
        if self.optimizer == "adam":
            betas = (self.momentum, self.rms_decay)
            return Adam(parameters, betas=betas, epsilon=self.epsilon, weight_decay=self.weight_decay)
        if self.optimizer == "rmsprop":
            return RMSProp(
                parameters,
                decay=self.rms_decay,
                momentum=self.momentum,
                epsilon=self.epsilon,
                weight_decay=self.weight_decay,
            )
        return SGD(parameters, momentum=self.momentum, nesterov=self.nesterov, weight_decay=self.weight_decay)


_IMAGENET = {
    "optimizer": "rmsprop",
    "momentum": 0.9,
    "rms_decay": 0.9,
    "epsilon": 1.0,
    "weight_decay": 4e-5,
    "max_gradient_norm": 10.0,
    "label_smoothing": 0.1,
    "ema_decay": 0.9999,
}

RECIPES: Mapping[str, TrainConfig] = MappingProxyType(
    {
        # Section 5.1. Batch size, momentum, weight decay and clipping are not stated there; they are NASNet's.
        "proxy_paper": TrainConfig(preprocessing=Preprocessing(upsample_to=40, crop_to=32, flip=True)),
        "proxy_quick": TrainConfig(n_epochs=3, batch_size=96, learning_rate=0.1),
        # Section 5.4: for networks with an auxiliary head and a drop path rate of 0.4.
        "cifar10_final": TrainConfig(
            n_epochs=600,
            learning_rate=0.025,
            preprocessing=Preprocessing(pad_to=40, crop_to=32, flip=True),
        ),
        # TF-Slim's, for one worker's batch: the paper had 50 and 100 workers.
        "imagenet_mobile": TrainConfig(
            n_epochs=312,
            batch_size=32,
            learning_rate=0.04,
            schedule=ExponentialSchedule(decay_rate=0.97, decay_epochs=2.2),
            **_IMAGENET,  # type: ignore[arg-type]
        ),
        "imagenet_large": TrainConfig(
            n_epochs=312,
            batch_size=16,
            learning_rate=0.015,
            schedule=ExponentialSchedule(decay_rate=0.97, decay_epochs=2.4),
            **_IMAGENET,  # type: ignore[arg-type]
        ),
    }
)
"""The paper's trainings, and the quick one for digits, by name."""
