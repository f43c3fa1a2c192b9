import pickle
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._sequences import PADDING


def forms(X: list[list[int]]) -> list[Any]:
    """The same sequences as lists, tuples, arrays, objects, and one array."""
    objects = np.empty(len(X), dtype=object)
    objects[:] = X
    return [X, tuple(map(tuple, X)), [np.array(sequence) for sequence in X], objects, padded(X)]


def padded(X: list[list[int]]) -> NDArray[np.int64]:
    length = max(map(len, X))
    return np.array([sequence + [PADDING] * (length - len(sequence)) for sequence in X])


def check_numbers(values: Any, n: int) -> None:
    assert isinstance(values, np.ndarray), f"expected an array, got {type(values).__name__}"
    assert values.shape == (n,), f"expected the shape {(n,)}, got {values.shape}"
    assert np.issubdtype(values.dtype, np.floating), f"expected floating point numbers, got {values.dtype}"
    assert np.isfinite(values).all(), f"expected finite numbers, got {values}"


def parameters(predictor: Any) -> dict[str, str]:
    return {name: repr(value) for name, value in predictor.get_params().items()}


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def refusal(call: Callable[[], Any], expected: type[Exception] = SurrogateError) -> str:
    """What the error says that a call raises."""
    try:
        call()
    except expected as error:
        return str(error)
    raise AssertionError(f"expected a {expected.__name__}, and nothing was raised")


def check_names(message: str, *values: float) -> None:
    """A message must be one line that has all these numbers."""
    assert "\n" not in message, message
    missing = {str(value) for value in values} - set(re.findall(r"-?\w+", message))
    assert not missing, f"{missing} should be in the message: {message}"


def global_states() -> tuple[Any, ...]:
    return random.getstate(), pickle.dumps(np.random.get_state()), torch.get_rng_state().tolist()  # noqa: NPY002


def draw_from_global_generators() -> None:
    random.random()
    np.random.random()  # noqa: NPY002
    torch.rand(1)
