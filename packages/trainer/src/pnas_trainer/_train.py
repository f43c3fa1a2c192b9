import math
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_trainer._config import TrainConfig
from pnas_trainer._dataset import ImageDataset
from pnas_trainer._preprocessing import Preprocessor
from pnas_trainer._result import TrainResult
from pnas_trainer._sgd import SGD

_EVALUATION_BATCH_SIZE = 1000


def train(
    make_model: Callable[[], nn.Module],
    data: ImageDataset,
    config: TrainConfig,
    *,
    seed: int,
    device: torch.device | str = "cpu",
) -> TrainResult:
    """Train a classifier from scratch and measure it on the validation images after every epoch.

    On the CPU the result is a function of the arguments and of `torch.get_num_threads()` alone, to the last bit; the
    caller's random state is left as it was.

    Args:
        make_model: makes a network that maps float32 `(N, C, H, W)` to logits `(N, num_classes)`; called once, after
            the seed is set.
        data: the images; they are moved to `device` where they are not there yet.
        config: how to train.
        seed: of the initial weights, the order of the images and the augmentation.
        device: to train on.
    """
    device = torch.device(device)
    with torch.random.fork_rng(range(torch.cuda.device_count())):  # manual_seed seeds them all
        torch.manual_seed(seed)
        # channels_last is the faster layout for the convolutions of small CNNs, on CPUs and GPUs alike.
        model = make_model().to(device).to(memory_format=torch.channels_last)
        return _Training(model, data.to(device), config, seed, device).run()


class _Training:
    def __init__(
        self, model: nn.Module, data: ImageDataset, config: TrainConfig, seed: int, device: torch.device
    ) -> None:
        self._model = model
        self._data = data
        self._config = config
        self._seed = seed
        self._device = device
        self._preprocessor = Preprocessor(config.preprocessing, data.train_images)
        self._generator = torch.Generator().manual_seed(seed)
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._optimizer = SGD(
            self._parameters,
            momentum=config.momentum,
            nesterov=config.nesterov,
            weight_decay=config.weight_decay,
        )

    def run(self) -> TrainResult:
        accuracies: list[float] = []
        losses: list[float] = []
        seconds = 0.0
        for epoch in range(self._config.n_epochs):
            start = time.perf_counter()
            losses.append(self._train_epoch(epoch))
            seconds += time.perf_counter() - start
            accuracy = self._evaluate() if math.isfinite(losses[-1]) else None
            if accuracy is None:
                break
            accuracies.append(accuracy)
        return TrainResult(
            status="finished" if len(accuracies) == self._config.n_epochs else "diverged",
            accuracies=tuple(accuracies),
            losses=tuple(losses),
            n_examples=len(losses) * len(self._data.train_images),
            seconds=seconds,
            n_parameters=sum(parameter.numel() for parameter in self._parameters),
            seed=self._seed,
            device=str(self._device),
        )

    def _train_epoch(self, epoch: int) -> float:
        """One pass over the training images; gives the mean loss."""
        self._model.train()
        n_images = len(self._data.train_images)
        total = torch.zeros((), device=self._device)
        for step, (images, labels) in enumerate(self._shuffled_batches()):
            loss = F.cross_entropy(self._model(images), labels)
            self._optimizer.zero_grad()
            loss.backward()
            if self._config.max_gradient_norm is not None:
                nn.utils.clip_grad_norm_(self._parameters, self._config.max_gradient_norm)
            self._optimizer.step(self._learning_rate(epoch + step * self._config.batch_size / n_images))
            total += loss.detach() * len(images)
        return total.item() / n_images

    def _shuffled_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self._data.train_images), generator=self._generator).to(self._device)
        for index in order.split(self._config.batch_size):
            images = self._preprocessor.for_training(self._data.train_images[index], self._generator)
            yield images.contiguous(memory_format=torch.channels_last), self._data.train_labels[index]

    def _learning_rate(self, epochs_done: float) -> float:
        """Cosine decay to 0 over all epochs, without restarts (Loshchilov and Hutter, 2017)."""
        return self._config.learning_rate * (1 + math.cos(math.pi * epochs_done / self._config.n_epochs)) / 2

    @torch.inference_mode()
    def _evaluate(self) -> float | None:
        """Share of the validation images that are classified right; None when the network's outputs are not finite."""
        self._model.eval()
        n_right = torch.zeros((), dtype=torch.int64, device=self._device)
        is_finite = torch.ones((), dtype=torch.bool, device=self._device)
        for images, labels in zip(
            self._data.validation_images.split(_EVALUATION_BATCH_SIZE),
            self._data.validation_labels.split(_EVALUATION_BATCH_SIZE),
            strict=True,
        ):
            x = self._preprocessor.for_evaluation(images).contiguous(memory_format=torch.channels_last)
            logits = self._model(x)
            n_right += (logits.argmax(1) == labels).sum()
            is_finite &= logits.isfinite().all()
        return n_right.item() / len(self._data.validation_labels) if is_finite else None
