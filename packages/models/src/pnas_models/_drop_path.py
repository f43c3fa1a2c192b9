import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Drops whole paths, one example at a time, more of them as training goes on (TF-Slim, `drop_path`, version 3).

    `(N, C, H, W) -> (N, C, H, W)`: zeros with probability `rate * progress`, else divided by the probability to be
    kept. In evaluation mode nothing is dropped.

    Args:
        rate: the probability at the end of training.
    """

    progress: Tensor

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        # A tensor, so that a compiled or captured graph sees it change; not a weight, so no checkpoint holds it.
        self.register_buffer("progress", torch.ones(()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        keep = (1.0 - self.rate * self.progress).to(x.dtype)
        mask = torch.rand(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device) < keep
        return x * mask / keep

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"
