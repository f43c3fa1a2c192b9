"""Which instructions networks are computed with."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

NATIVE = "native"
PORTABLE = "portable"

_ALIKE_ON_ALL = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own loops
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # its convolutions
    "MKL_CBWR": "COMPATIBLE",  # its products: told AVX2, MKL takes another code on AMD's processors than on Intel's
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's products
}


def can_be_portable() -> bool:
    """Whether this is a kind of processor that has an arithmetic in common with others."""
    return platform.machine() in ("x86_64", "AMD64")


@contextmanager
def computed_with(arithmetic: str) -> Iterator[None]:
    """Have processes that start meanwhile, and libraries that compute for the first time, round as others do.

    Each of these libraries has code for several kinds of processors, whose sums are rounded in other places, and takes
    the newest that there is. Told to take an older one, they give the same bits on all x86 processors that have AVX2.
    Numba's loops do so by themselves, because they leave sums in the order in which they are written. Where processors
    are of another kind, all stays as it is.

    Args:
        arithmetic: `NATIVE`, which leaves the libraries their choice, or `PORTABLE`.
    """
    if arithmetic == NATIVE or not can_be_portable():
        yield
        return
    before = {name: os.environ.get(name) for name in _ALIKE_ON_ALL}
    os.environ.update(_ALIKE_ON_ALL)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
