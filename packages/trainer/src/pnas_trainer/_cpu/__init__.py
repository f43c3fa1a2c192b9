"""Convolutions, pools and batch normalizations that train small CNNs on CPUs faster than PyTorch's own."""

from pnas_trainer._cpu._mode import fast_operations
from pnas_trainer._cpu._program import Recorded
from pnas_trainer._cpu._set_up import set_up

__all__ = ["Recorded", "fast_operations", "set_up"]
