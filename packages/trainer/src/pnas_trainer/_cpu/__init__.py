"""Convolutions, pools and batch normalizations that train small CNNs on CPUs faster than PyTorch's own."""

from pnas_trainer._cpu._mode import fast_operations
from pnas_trainer._cpu._sequential import fused_chains

__all__ = ["fast_operations", "fused_chains"]
