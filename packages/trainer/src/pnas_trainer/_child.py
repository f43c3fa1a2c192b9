import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from pnas_trainer._config import TrainConfig
from pnas_trainer._errors import TrainerError
from pnas_trainer._multiply_adds import count_multiply_adds
from pnas_trainer._result import Status, TrainResult
from pnas_trainer._training import Training, versions

MakeModel = Callable[[], nn.Module]
"""Makes a network that maps float32 `(N, C, H, W)` to logits `(N, num_classes)`; in training mode it may give a pair
of them, the second an auxiliary head's, and where it has a method `set_training_progress` that is called before every
step with the share of the training that is done. A step may be recorded and replayed, for other numbers of images,
too: what it computes of an image must depend on the network's tensors alone, and on the other images by batch
normalization."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """A network that is to be trained, and what is known of it before."""

    model: nn.Module
    seed: int
    n_parameters: int
    multiply_adds: int

    @classmethod
    def made(cls, make_model: MakeModel, image: Tensor, num_classes: int, seed: int, device: torch.device) -> Self:
        """The network of a seed, on its device; `image` `(1, C, H, W)` is one as it will see them."""
        torch.manual_seed(seed)
        model = make_model()
        # The count is the same on every device, and here nothing else waits for it.
        n_parameters = _n_trainable(model)
        multiply_adds, logits = count_multiply_adds(model, image.to(next(model.parameters()).device))
        _check_logits(logits, num_classes)
        # channels_last is the faster layout for the convolutions of small CNNs, on CPUs and GPUs alike.
        model = model.to(device).to(memory_format=torch.channels_last)
        for parameter in model.parameters():
            if parameter.ndim != 4 and not parameter.is_contiguous():
                # Optimizers go along memory, where the slice of another tensor has neighbours.
                parameter.data = parameter.data.contiguous()
        return cls(model=model, seed=seed, n_parameters=n_parameters, multiply_adds=multiply_adds)


def _n_trainable(model: nn.Module) -> int:
    if not isinstance(model, nn.Module):
        raise TrainerError(f"make_model must give a torch.nn.Module, not {type(model).__name__}")
    n_parameters = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    if n_parameters == 0:
        raise TrainerError("make_model must give a network with parameters to train, and this one has none")
    return n_parameters


def _check_logits(logits: object, num_classes: int) -> None:
    shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if shape != (1, num_classes):
        raise TrainerError(
            f"in evaluation mode the network must give logits of shape (N, {num_classes}), one for each class of the "
            f"data, and gave {shape} for one image"
        )


@contextmanager
def surroundings(config: TrainConfig, device: torch.device) -> Iterator[None]:
    """What a training needs of PyTorch's global state, which is the caller's again after it."""
    if config.deterministic and device.type == "cuda" and "CUBLAS_WORKSPACE_CONFIG" not in os.environ:
        raise TrainerError(
            "deterministic training on CUDA needs CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment, and it is not set"
        )
    algorithms = _deterministic_algorithms() if config.deterministic else nullcontext()
    with torch.random.fork_rng(range(torch.cuda.device_count())), algorithms:  # manual_seed seeds them all
        yield


@contextmanager
def _deterministic_algorithms() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    # This imports PyTorch's compiler, which takes every process several seconds: for those alone who ask for it.
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)


def result(
    child: Child,
    training: Training,
    index: int,
    status: Status,
    device: torch.device,
    *,
    keep_weights: bool,
) -> TrainResult:
    """Of the child of that index of a training that is over."""
    accuracies = training.curve(index)
    # A training that diverged has ended with the epoch in which it did, whoever went on beside it.
    losses = [losses[index] for losses in training.losses][: len(accuracies) + (status == "diverged")]
    weights = None
    if keep_weights:
        weights = {name: tensor.detach().cpu().clone() for name, tensor in child.model.state_dict().items()}
    return TrainResult(
        status=status,
        accuracies=accuracies,
        losses=tuple(losses),
        n_examples=len(losses) * training.batches.n_images,
        seconds=training.seconds * len(losses) / max(1, len(training.losses)) / training.batches.n_children,
        n_parameters=child.n_parameters,
        multiply_adds=child.multiply_adds,
        micro_batch_size=training.micro_batch_size,
        seed=child.seed,
        device=str(device),
        versions=versions(device),
        weights=weights,
    )


def never_begun(seed: int, device: torch.device) -> TrainResult:
    """Of a network that does not even fit into memory by itself."""
    return TrainResult(
        status="out_of_memory",
        accuracies=(),
        losses=(),
        n_examples=0,
        seconds=0.0,
        n_parameters=0,
        multiply_adds=0,
        micro_batch_size=0,
        seed=seed,
        device=str(device),
        versions=versions(device),
    )
