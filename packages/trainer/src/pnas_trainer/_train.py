import hashlib
from collections.abc import Callable, Sequence

import torch

from pnas_trainer._checkpoint import Checkpoint, CheckpointFile
from pnas_trainer._checks import check_integer, checked_device
from pnas_trainer._child import Child, MakeModel, never_begun, result, surroundings
from pnas_trainer._config import TrainConfig
from pnas_trainer._data import TrainingData, example_image, make_batches
from pnas_trainer._errors import TrainerError
from pnas_trainer._memory import OutOfMemoryError, memory_shortage, released
from pnas_trainer._processes import Processes
from pnas_trainer._result import Status, TrainResult
from pnas_trainer._training import Training

ShouldStop = Callable[[Sequence[float]], bool]
"""Looks at a training's accuracies so far, and says whether to give it up."""
OnStep = Callable[[float, Sequence[float]], None]
"""Is told how many epochs a training has done, of which the last may be a part, and its accuracies so far."""


def train(
    make_model: MakeModel,
    data: TrainingData,
    config: TrainConfig,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    should_stop: ShouldStop | None = None,
    on_step: OnStep | None = None,
    checkpoint: Checkpoint | None = None,
    keep_weights: bool = False,
    distributed: bool = False,
) -> TrainResult:
    """Train a classifier and measure it on the validation images after every epoch.

    On the CPU the result is a function of the arguments and of `torch.get_num_threads()` alone, to the last bit; the
    caller's random state is left as it was. What goes wrong in a training (it diverges, memory is short) is a status.

    Args:
        make_model: makes the network; called once, after the seed is set.
        data: the images. Those of an `ImageDataset` are moved to `device` where they are not there yet.
        config: how to train.
        seed: of the initial weights, the order of the images and the augmentation.
        device: to train on.
        should_stop: asked after every epoch but the last.
        on_step: told after every step how many epochs are done, and the accuracies so far; for showing progress. What
            it raises ends the training, which goes on from there where there is a checkpoint and no other process.
        checkpoint: where to go on from after an interruption.
        keep_weights: whether the result carries the network's state dict; with a moving average, that of the average.
        distributed: whether this is one of several processes of `torchrun` that train one network together: each step
            takes `batch_size` images in all, and every process gets the same result.

    Raises:
        TrainerError: the settings, the images and the device do not go together, or the checkpoint is not this
            training's.
    """
    device = checked_device(device)
    check_integer(seed=seed)
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        raise TrainerError(f"checkpoint must be a Checkpoint(path=...), not {checkpoint!r}")
    processes = Processes(distributed_training=distributed)
    image = example_image(data, config.preprocessing)
    with surroundings(config, device):
        try:
            with memory_shortage():
                child = Child.made(make_model, image, data.num_classes, seed, device)
                batches = make_batches(data, config, [seed], device, processes)
                training = Training(child.model, batches, config, device, processes)
        except OutOfMemoryError:
            released(device)
            return never_begun(seed, device)
        if processes.index > 0:  # each process drops paths and features of its own images
            torch.manual_seed(seed + processes.index)
        file = None
        if checkpoint is not None:
            file = CheckpointFile(checkpoint, _identity(config, seed, child, data), processes)
            file.load_into(training)
        status = _run(training, config, should_stop, on_step, file)
        with training.averaged():
            return result(child, training, 0, status, device, keep_weights=keep_weights)


def _run(
    training: Training,
    config: TrainConfig,
    should_stop: ShouldStop | None,
    on_step: OnStep | None,
    file: CheckpointFile | None,
) -> Status:
    """Train to the end, or to what ends it before."""

    def after_step(*, is_last: bool = False) -> None:
        if on_step is not None:
            try:
                on_step(training.epoch + training.step / len(training.batches.bounds), training.curve(0))
            except BaseException:
                if file is not None and file.processes.n == 1:  # the others are not at this step
                    file.save_if_due(training, now=True)
                raise
        if file is not None:
            file.save_if_due(training, now=is_last)

    while training.epoch < config.n_epochs and not training.has_diverged(0):
        is_between_epochs = training.epoch > 0 and training.step == 0
        if is_between_epochs and should_stop is not None and should_stop(training.curve(0)):
            return "stopped"
        try:
            training.run_epoch(after_step)
        except OutOfMemoryError:
            return "out_of_memory"
        after_step(is_last=training.epoch == config.n_epochs)
    return "diverged" if training.has_diverged(0) else "finished"


def _identity(config: TrainConfig, seed: int, child: Child, data: TrainingData) -> str:
    shapes = [(name, tuple(tensor.shape)) for name, tensor in child.model.state_dict().items()]
    network = hashlib.blake2b(f"{child.model} {shapes}".encode(), digest_size=8).hexdigest()
    return f"{config}, seed {seed}, network {network}, images {data.digest()}"
