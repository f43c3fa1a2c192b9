from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from pnas_trainer._cpu._arrays import undisturbed
from pnas_trainer._cpu._mode import are_images
from pnas_trainer._cpu._program._recorder import Recorder
from pnas_trainer._cpu._program._recording import Recording
from pnas_trainer._cpu._program._replay import Replay
from pnas_trainer._cpu._program._values import Gradients
from pnas_trainer._sameness import Snapshot, host_randomness

_MOST_CHANGES = 3
"""After more changes of the model, such as of an attribute at every step, recording anew costs more than it saves."""


class Recorded:
    """A model in training, whose steps are recorded once and replayed without PyTorch's work around each operation.

    On the CPU it is what a CUDA graph is on a GPU: the model's own code runs once for each shape of images, or for one
    size of batches in place of all that are known to come, and what it computes of them is computed again for others.
    A model is left as it is, and runs at every step, where it does anything that is not known here, is random, changes
    an attribute of a module, or is watched by hooks; and where PyTorch has several threads. When somebody changes the
    model, it is recorded anew. Gradients stay in the same tensors from step to step.

    Args:
        model: to be trained.
        batch_sizes: numbers of images that will come.
    """

    def __init__(self, model: nn.Module, batch_sizes: Collection[int] = ()) -> None:
        self._model = model
        self._batch_sizes = set(batch_sizes)
        self._look_at_model()
        self._n_changes = 0
        self._anchor = torch.zeros((), requires_grad=True)
        self._n_runs = 0

    def __call__(self, images: Tensor) -> Any:
        """What the model gives in training mode for images `(N, C, H, W)`, which get no gradient."""
        if not self._may_record(images):
            return self._model(images)
        if images.shape not in self._replays and images.shape not in self._to_make:
            outputs, to_make = self._recorded(images)
            if not to_make:
                self._replays[images.shape] = None
                return outputs
            self._to_make.update(to_make)
        if images.shape not in self._replays:  # each when it is needed: memory may be short for another one
            with torch._C.DisableTorchFunction():  # noqa: SLF001
                self._replays[images.shape] = self._to_make.pop(images.shape)()
        replay = self._replays[images.shape]
        return self._model(images) if replay is None else _Replaying.apply(self._anchor, images, replay, self)

    def gradients(self, parameters: Sequence[Tensor]) -> Tensor | None:
        """Those of all parameters that are trained, as one vector, where that is how the last step has left them."""
        return None if self._gradients is None else self._gradients.of_all(parameters)

    def begun(self) -> int:
        """The number of a new run; all of them use the same memory."""
        self._n_runs += 1
        return self._n_runs

    def ended(self, run: int) -> None:
        """A run goes back, which overwrites what it has computed.

        Raises:
            RuntimeError: it has gone back already, or another one has begun since.
        """
        if run != self._n_runs:
            raise RuntimeError("a recorded model goes back once through its last step, and not through earlier ones")
        self._n_runs += 1

    def _may_record(self, images: Tensor) -> bool:
        with torch._C.DisableTorchFunction():  # noqa: SLF001  # as in `undisturbed`
            if torch.get_num_threads() > 1 or not are_images(images) or images.requires_grad:
                return False
        if self._n_changes <= _MOST_CHANGES and not self._snapshot.still_holds():
            self._look_at_model()
            self._n_changes += 1
        return self._n_changes <= _MOST_CHANGES

    def _look_at_model(self) -> None:
        self._snapshot = Snapshot(self._model)
        self._gradients: Gradients | None = None
        self._replays: dict[torch.Size, Replay | None] = {}
        self._to_make: dict[torch.Size, Callable[[], Replay]] = {}

    def _recorded(self, images: Tensor) -> tuple[Any, dict[torch.Size, Callable[[], Replay]]]:
        """What makes replays, by the shape of images; or what the model gives, which else is as it was."""
        snapshot = self._snapshot
        if snapshot.is_watched:
            return self._model(images), {}
        if self._gradients is None:
            self._gradients = Gradients(snapshot.parameters)
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            before = [buffer.clone() for buffer in snapshot.buffers]
        # A size that was seen before is known better than by another one.
        is_first = not self._replays and len(images) in self._batch_sizes
        sizes = self._batch_sizes if is_first else {len(images)}
        recordings = [Recording(images, size, self._gradients, snapshot.buffers) for size in sizes]
        randomness = host_randomness()
        with Recorder(recordings) as recorder:
            logits = self._model(images)
        outputs = [x for recording in recordings if (x := recording.outputs(logits)) is not None]
        is_known = recorder.problem is None and len(outputs) == len(recordings)
        if not is_known or randomness != host_randomness() or not snapshot.still_holds():
            return logits, {}
        del logits, recorder  # with all that PyTorch has kept for a backward pass
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            for buffer, kept in zip(snapshot.buffers, before, strict=True):
                buffer.detach().copy_(kept)
        return None, {
            torch.Size(recording.images.shape): partial(Replay, recording, output)
            for recording, output in zip(recordings, outputs, strict=True)
        }


class _Replaying(torch.autograd.Function):
    @staticmethod
    @undisturbed
    def forward(ctx: Any, _anchor: Tensor, images: Tensor, replay: Replay, recorded: Recorded) -> Tensor:
        ctx.replay, ctx.recorded, ctx.run = replay, recorded, recorded.begun()
        return replay.forward(images)

    @staticmethod
    @undisturbed
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, ...]:
        ctx.recorded.ended(ctx.run)
        ctx.replay.backward(gradient)
        return None, None, None, None
