from collections.abc import Sequence

import torch
from torch import Tensor

from pnas_trainer._errors import TrainerError


@torch.no_grad()
def clip_gradients(gradients: Sequence[Tensor], max_norm: float) -> Tensor:
    """Scale the gradients down, in place, to a norm over all of them of at most `max_norm`.

    To rounding it is `torch.nn.utils.clip_grad_norm_`, which sorts the tensors by device and dtype twice; no value is
    read on the host.

    Args:
        gradients: of any shapes, on one device.
        max_norm: L2, greater than 0.

    Returns:
        The norm before clipping, a tensor of no dimensions.

    Raises:
        TrainerError: `max_norm` is not greater than 0.
    """
    if not max_norm > 0:
        raise TrainerError(f"max_norm must be greater than 0, not {max_norm!r}")
    if not gradients:
        return torch.zeros(())
    gradients = list(gradients)
    norms = torch._foreach_norm(gradients)  # noqa: SLF001
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms)) if len(norms) > 1 else norms[0]
    torch._foreach_mul_(gradients, (max_norm / (norm + 1e-6)).clamp(max=1.0))
    return norm
