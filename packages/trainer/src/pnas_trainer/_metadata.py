from torch import Tensor

METADATA = frozenset(
    {
        Tensor.dim,
        Tensor.size,
        Tensor.numel,
        Tensor.is_floating_point,
        *(getattr(Tensor, name).__get__ for name in ("shape", "ndim", "dtype", "device", "requires_grad", "is_cuda")),
    }
)
"""What is asked of a tensor and does not depend on its numbers."""
