"""Which instructions networks are computed with."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

NATIVE, PORTABLE = ARITHMETICS = ("native", "portable")

_OF_EVERY_AVX2_PROCESSOR = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own loops
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # its convolutions
    "MKL_CBWR": "COMPATIBLE",  # its products
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's products
    "OPENBLAS_L2_SIZE": "512",  # OpenBLAS cuts products to it
}


@contextmanager
def computed_with(arithmetic: str) -> Iterator[None]:
    """Have processes that start meanwhile, and libraries that are not loaded yet, round as others do.

    Each of these libraries has code for every kind of processor, whose sums are rounded in other places, and takes the
    newest. Told to take that of AVX2, they give the same bits on all x86 processors of the last ten years. Numba's
    loops do so by themselves: they leave sums in the order in which they are written.

    Args:
        arithmetic: one of `ARITHMETICS`; `"native"` leaves the libraries their choice.
    """
    if arithmetic == NATIVE or platform.machine() not in ("x86_64", "AMD64"):
        yield
        return
    before = {name: os.environ.get(name) for name in _OF_EVERY_AVX2_PROCESSOR}
    os.environ.update(_OF_EVERY_AVX2_PROCESSOR)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
