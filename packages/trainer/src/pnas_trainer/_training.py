import importlib.metadata
import itertools
import math
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from pnas_trainer._batches import Batches
from pnas_trainer._clipping import clip_gradients
from pnas_trainer._config import TrainConfig
from pnas_trainer._cpu import Recorded, fast_operations
from pnas_trainer._cuda import fused_layers, is_faster
from pnas_trainer._ema import ExponentialMovingAverage
from pnas_trainer._evaluation import accuracies
from pnas_trainer._graphed import GraphedStep, in_stream, is_captured, within_stream
from pnas_trainer._loss import Logits, training_losses
from pnas_trainer._memory import OutOfMemoryError, memory_shortage, released
from pnas_trainer._processes import Processes
from pnas_trainer._randomness import random_state, set_random_state
from pnas_trainer._set_up import set_up


@runtime_checkable
class CombinedModel(Protocol):
    """Several networks as one module: images `(n_children, N, C, H, W)` to logits `(n_children, N, num_classes)`."""

    n_children: int

    def gradients(self) -> Sequence[Sequence[Tensor]]:
        """Those of each child's parameters, as views that can be scaled in place."""

    def networks(self) -> Sequence[nn.Module]:
        """The children, with the weights that they have by now."""


class Training:
    """Models in training, one by itself or several combined, from step to step.

    It begins with the model on its device; `run_epoch` trains one epoch or what is left of it, and everything that a
    later step depends on is in `state_dict`. Where memory is short, batches are halved if the model `is_alone`.
    """

    def __init__(
        self,
        model: nn.Module,
        batches: Batches,
        config: TrainConfig,
        device: torch.device,
        processes: Processes,
        *,
        is_alone: bool = True,
    ) -> None:
        self.model = model
        self._is_alone = is_alone
        self._processes = processes
        self._config = config
        self._device = device
        self._combined = model if isinstance(model, CombinedModel) else None
        self._has_fast_operations = device.type == "cpu" and config.precision == "float32"
        self._distributed = processes.wrapped(model, config.sync_batch_norm)
        is_recorded = self._distributed is model and self._has_fast_operations and self._combined is None
        # What is chosen by the clock is not the same every time.
        self._has_fused_layers = device.type == "cuda" and self._distributed is model and not config.deterministic
        sizes = {end - begin for begin, end in batches.bounds}
        self._computed: Callable[[Tensor], Logits] = Recorded(model, sizes) if is_recorded else self._distributed
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._graphed: GraphedStep | None = None
        if self._stream is not None and self._distributed is model:
            self._graphed = GraphedStep(model)
        self.batches = batches
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._optimizer = config.make_optimizer(self.parameters)
        self._average = ExponentialMovingAverage(model, config.ema_decay) if config.ema_decay is not None else None
        self._set_progress = getattr(model, "set_training_progress", None)
        self._totals = torch.zeros(batches.n_children, device=device)
        self.micro_batch_size = max(sizes)
        self._evaluation_batch_size = batches.evaluation_batch_size
        self.epoch = 0
        self.step = 0
        self.losses: list[list[float]] = []
        self.accuracies: list[list[float | None]] = []
        self.seconds = 0.0
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(device))  # for all that was made above

    def run_epoch(self, after_step: Callable[[], None] = lambda: None) -> None:
        """Train an epoch and measure it, or go on with one that was interrupted.

        Raises:
            OutOfMemoryError: not even one image at a time fits, or not so many children at a time.
        """
        with in_stream(self._stream):
            for _ in self.steps():
                after_step()

    def steps(self) -> Iterator[None]:
        """The same step by step: between two of them, others may do what they like.

        It runs in a stream of its own, which must wait for what was computed before and be waited for at last.
        """
        start = _training_clock()
        with within_stream(self._stream):
            self.model.train()
            if self.step == 0:
                self.batches.shuffle()
                self._totals.zero_()
        while self.step < len(self.batches.bounds):
            with within_stream(self._stream):
                self._train_step()
            self.step += 1
            if self.step < len(self.batches.bounds):
                self.seconds += _training_clock() - start
                yield
                start = _training_clock()
        with within_stream(self._stream):
            # The only time in an epoch that the host waits for the device.
            self.losses.append((self._processes.sum(self._totals) / self.batches.n_images).tolist())
            self.seconds += _training_clock() - start
            self.accuracies.append(self._measured())
        self.epoch, self.step = self.epoch + 1, 0

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing left to do: all epochs are over, or all children have diverged."""
        is_over = self.epoch >= self._config.n_epochs
        return is_over or all(map(self.has_diverged, range(self.batches.n_children)))

    def wait(self) -> None:
        """Let what comes after it on the device wait for this training."""
        if self._stream is not None:
            torch.cuda.current_stream(self._device).wait_stream(self._stream)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with the weights that are measured."""
        with self._average.averaged() if self._average is not None else nullcontext():
            yield

    def _train_step(self) -> None:
        begin, _ = self.batches.bounds[self.step]
        epochs_done = self.epoch + begin / self.batches.n_images
        if self._set_progress is not None:
            self._set_progress(epochs_done / self._config.n_epochs)
        images, labels = self.batches.get(self.step)
        rate = self._config.learning_rate * self._config.schedule.factor(epochs_done, self._config.n_epochs)
        if self._graphed is not None:
            self._graphed(self._take_step, images, labels, torch.full((), rate, device=self._device))
        else:
            self._take_step(images, labels, rate)
        if self._average is not None:
            self._average.update()

    def _take_step(self, images: Tensor, labels: Tensor, learning_rate: float | Tensor) -> None:
        """What a CUDA graph can hold of a step: nothing here depends on the step but the tensors."""
        losses = self._backward(images, labels)
        if self._config.max_gradient_norm is not None:
            for gradients in self._gradients():
                clip_gradients(gradients, self._config.max_gradient_norm)
        self._optimizer.step(learning_rate)
        self._totals += losses * images.shape[1]

    def _backward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Leave the gradients of the mean loss of a batch; gives that of each child. Halves the batch for memory."""
        while True:
            self._optimizer.zero_grad()
            try:
                with memory_shortage():
                    return self._accumulated(images, labels)
            except RuntimeError as error:
                # PyTorch keeps what a ReLU gives, and our layers keep what it is of, which a model may overwrite.
                if not self._has_fused_layers or "modified by an inplace operation" not in str(error):
                    raise
                self._has_fused_layers = False
                continue
            except OutOfMemoryError:
                # Children in company are better off in smaller company: their batches stay whole.
                size = min(self.micro_batch_size, images.shape[1])
                if is_captured(self._device):
                    raise
                has_dropped = self._graphed is not None and self._graphed.dropped()
                if (not self._is_alone or size == 1) and not has_dropped:
                    raise
            if not has_dropped:
                self.micro_batch_size = math.ceil(size / 2)
            self._optimizer.zero_grad()  # before the rest is given back
            released(self._device)

    def _accumulated(self, images: Tensor, labels: Tensor) -> Tensor:
        n_images = images.shape[1]
        n_parts = math.ceil(n_images / self.micro_batch_size)
        losses = torch.zeros_like(self._totals)
        parts = list(zip(images.tensor_split(n_parts, dim=1), labels.tensor_split(n_parts, dim=1), strict=True))
        for index, (some_images, some_labels) in enumerate(parts):
            share = some_images.shape[1] / n_images
            with ExitStack() as stack:
                if index < len(parts) - 1:
                    stack.enter_context(self._processes.unsynchronized(self._distributed))
                # The backward pass too: activation checkpointing computes there what it has not kept.
                stack.enter_context(self._operations())
                with self._autocast():
                    outputs = self._outputs(some_images)
                    with torch._C.DisableTorchFunction():  # noqa: SLF001  # modes would look at each of these
                        some_losses = training_losses(
                            outputs,
                            some_labels,
                            label_smoothing=self._config.label_smoothing,
                            auxiliary_weight=self._config.auxiliary_weight,
                        )
                        loss = some_losses.sum() * (share * self._processes.weight(n_images))
                _run_backward(loss)
            losses += some_losses.detach() * share
        return losses

    def _outputs(self, images: Tensor) -> Logits:
        if self._combined is not None:
            return self._computed(images)
        outputs = self._computed(images[0].contiguous(memory_format=torch.channels_last))
        if isinstance(outputs, tuple):
            return outputs[0].unsqueeze(0), outputs[1].unsqueeze(0)
        return outputs.unsqueeze(0)

    def _gradients(self) -> Sequence[Sequence[Tensor]]:
        if self._combined is not None:
            return self._combined.gradients()
        if isinstance(self._computed, Recorded) and (vector := self._computed.gradients(self.parameters)) is not None:
            return [[vector]]
        return [[parameter.grad for parameter in self.parameters if parameter.grad is not None]]

    def _autocast(self) -> AbstractContextManager[Any]:
        is_on = self._config.precision == "bfloat16"
        return torch.autocast(self._device.type, torch.bfloat16) if is_on else nullcontext()

    def _operations(self) -> AbstractContextManager[Any]:
        if self._has_fused_layers and self._graphed is not None and self._graphed.is_possible:
            return fused_layers(self.model, is_faster)  # one by one they may take the host longer than PyTorch's do
        return fast_operations() if self._has_fast_operations else nullcontext()

    def _measured(self) -> list[float | None]:
        if not any(math.isfinite(loss) for loss in self.losses[-1]):
            return [None] * len(self.losses[-1])
        with self.averaged(), self._autocast():
            measured = self._accuracies()
        return [x if math.isfinite(loss) else None for x, loss in zip(measured, self.losses[-1], strict=True)]

    def _accuracies(self) -> list[float | None]:
        """As of `accuracies`, in smaller batches where memory is short."""
        while True:
            size = self._evaluation_batch_size
            try:
                with memory_shortage():
                    return accuracies(self.model, self.batches, self._processes, size)
            except OutOfMemoryError:
                if size == 1:
                    raise
            self._evaluation_batch_size //= 2
            released(self._device)

    def curve(self, child: int) -> tuple[float, ...]:
        """A child's accuracies up to where it diverged."""
        by_epoch = (measured[child] for measured in self.accuracies)
        return tuple(x for x in itertools.takewhile(lambda x: x is not None, by_epoch) if x is not None)

    def has_diverged(self, child: int) -> bool:
        """Whether a child's loss or outputs have stopped being finite."""
        return any(measured[child] is None for measured in self.accuracies)

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average.state_dict() if self._average is not None else {},
            "batches": self.batches.state_dict(),
            "totals": self._totals,
            "random": self._processes.gathered(random_state(self._device)),
            **{name: getattr(self, name) for name in _PROGRESS},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was called; raises `TrainerError` where it is of another training."""
        self.batches.load_state_dict(state["batches"])
        self._optimizer.load_state_dict(state["optimizer"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        self.model.load_state_dict(state["model"])
        self._totals.copy_(state["totals"])
        set_random_state(state["random"][self._processes.index], self._device)
        for name in _PROGRESS:
            setattr(self, name, state[name])


def _training_clock() -> float:
    """Seconds, without those in which this process got its kernels ready."""
    return time.perf_counter() - set_up.seconds


def _run_backward(loss: Tensor) -> None:
    """`loss.backward()`, which as one of PyTorch's functions would itself leave the operations that we put in place."""
    torch.autograd.Variable._execution_engine.run_backward(  # noqa: SLF001
        (loss,), (torch.ones_like(loss),), False, False, (), allow_unreachable=True, accumulate_grad=True
    )


_PROGRESS = ("micro_batch_size", "epoch", "step", "losses", "accuracies", "seconds")


def versions(device: torch.device) -> dict[str, str]:
    """Of what computes a training there, by name."""
    from pnas_trainer import __version__

    names = ("numba", "numpy", "torch") if device.type == "cpu" else ("torch",)
    libraries = {name: importlib.metadata.version(name) for name in names}
    if device.type == "cuda":
        libraries |= {"cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version())}
    return {"python": platform.python_version(), **libraries, "pnas-trainer": __version__}
