"""Products of matrices, by the library that is faster on this processor.

PyTorch's are MKL's, which gives Intel's processors the best code that there is and others less than they can do, and
NumPy's are OpenBLAS's, which looks at what a processor can do.
"""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController
from torch import Tensor

from pnas_trainer._cpu._program._sections import Function, OfTensors

Array = NDArray[np.float32]


def product() -> Function:
    """Of `a`, `b` and `result`: writes `a @ b` there."""
    return OfTensors(_by_torch) if is_by_torch() else _by_numpy


def added_product() -> Function:
    """Of `is_first`, `a`, `b`, `total` and `spare`: writes `a @ b` into `total`, or adds it there by way of `spare`."""
    return OfTensors(_adding(_by_torch)) if is_by_torch() else _adding(_by_numpy)


@contextmanager
def in_one_thread() -> Iterator[None]:
    """Within it, products get one thread, which is what PyTorch has: NumPy's would take all cores, and add up in
    another order. How many they get is a number of the whole process, so only one thread at a time may change it.
    """
    if is_by_torch():
        yield
        return
    with _ONE_AT_A_TIME, _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def is_by_torch() -> bool:
    """Whether PyTorch's are faster: with MKL on Intel's processors, unless it may not use the code that they have."""
    return torch.backends.mkl.is_available() and "MKL_CBWR" not in os.environ and _is_intels()


def _is_intels() -> bool:
    """Whether the processor is one of Intel's; where nothing says so, it is taken for another."""
    words = _DESCRIPTION.read_text() if _DESCRIPTION.exists() else platform.processor()
    return "GenuineIntel" in words


_DESCRIPTION = Path("/proc/cpuinfo")
_ONE_AT_A_TIME = Lock()


@cache
def _libraries() -> ThreadpoolController:
    """Looked for once, which takes some milliseconds."""
    return ThreadpoolController()


def _by_numpy(a: Array, b: Array, result: Array) -> None:
    np.matmul(a, b, out=result)


def _by_torch(a: Tensor, b: Tensor, result: Tensor) -> None:
    torch.mm(a, b, out=result)


def _adding(multiply: Callable[..., None]) -> Callable[..., None]:
    def add(is_first: bool, a: Any, b: Any, total: Any, spare: Any) -> None:
        multiply(a, b, total if is_first else spare)
        if not is_first:
            total += spare

    return add
