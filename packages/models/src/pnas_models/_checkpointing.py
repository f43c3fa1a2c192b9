from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # of all kinds, synchronized ones too
from torch.utils.checkpoint import checkpoint, noop_context_fn


def checkpointed(module: nn.Module, *inputs: Tensor) -> Tensor:
    """`module(*inputs)`, of which only the inputs are kept for the backward pass."""
    # A compiled graph takes no contexts of ours, and needs none: it updates the statistics once.
    contexts = (
        noop_context_fn if torch.compiler.is_compiling() else lambda: (nullcontext(), _without_statistics(module))
    )
    output: Tensor = checkpoint(module, *inputs, use_reentrant=False, context_fn=contexts)
    return output


@contextmanager
def _without_statistics(module: nn.Module) -> Iterator[None]:
    """Let the second pass normalize as the first did, and not count its batch twice in the moving averages."""
    kept = [
        (part, part.momentum, part.num_batches_tracked)
        for part in module.modules()
        if isinstance(part, _BatchNorm) and part.track_running_stats
    ]
    for part, _, _ in kept:
        part.momentum, part.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for part, momentum, n_batches in kept:
            part.momentum, part.num_batches_tracked = momentum, n_batches
