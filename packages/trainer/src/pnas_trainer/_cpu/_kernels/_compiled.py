from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
from numba.core.event import Event, Listener, register
from numpy.typing import NDArray

from pnas_trainer._set_up import set_up

Floats = NDArray[np.float32]
"""Images in `channels_last`: rows `(N, H, W * C)`, pixels `(N * H * W, C)` or a vector, of the same memory."""

offset = np.uintp
"""Where an inner loop begins in an array, and how far it goes. Numba looks at every index with a sign whether it counts
from the end, and counts who holds every slice: either takes longer than some of these loops.
"""


class _SetUp(Listener):
    def on_start(self, event: Event) -> None:
        set_up.start()

    def on_end(self, event: Event) -> None:
        set_up.stop()


# Held while kernels are compiled, and while they are read from disk.
register("numba:compiler_lock", _SetUp())  # type: ignore[no-untyped-call]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays at its first use, and keep it on disk; it releases the GIL.

    What is kept holds what the function calls, too, and Numba compiles it anew when its own file has changed. So a file
    calls compiled functions of its own alone, and after a change of this one the `__pycache__` beside it must go.
    """
    compile_it = partial(numba.njit, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
    try:
        return compile_it(cache=True)(function)
    except RuntimeError:  # no folder can be written: compile it anew in every process
        return compile_it()(function)
