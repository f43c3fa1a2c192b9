"""Settings in their ranges, or one sentence with what was expected and what came."""

import math
from numbers import Integral, Real
from typing import TypeGuard

import torch

from pnas_trainer._errors import TrainerError


def check_whole(least: int, **numbers: object) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
            raise TrainerError(f"{name} must be a whole number of {least} or more, not {value!r}")


def check_integer(**numbers: object) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TrainerError(f"{name} must be a whole number, not {value!r}")


def check_positive(*, or_none: bool = False, **numbers: object) -> None:
    for name, value in numbers.items():
        if not (or_none and value is None) and not (_is_finite(value) and value > 0):
            raise TrainerError(f"{name} must be greater than 0{', or None' if or_none else ''}, not {value!r}")


def check_not_negative(**numbers: object) -> None:
    for name, value in numbers.items():
        if not (_is_finite(value) and value >= 0):
            raise TrainerError(f"{name} must be 0 or more, not {value!r}")


def check_below_one(*, or_none: bool = False, **numbers: object) -> None:
    for name, value in numbers.items():
        if not (or_none and value is None) and not (_is_finite(value) and 0 <= value < 1):
            raise TrainerError(f"{name} must lie in [0, 1){', or be None' if or_none else ''}, not {value!r}")


def check_truth(**values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, bool):
            raise TrainerError(f"{name} must be True or False, not {value!r}")


def checked_device(device: object) -> torch.device:
    """A device of PyTorch's that can be used here."""
    try:
        known: torch.device = torch.device(device)  # type: ignore[call-overload]  # PyTorch says what else there is
        torch.empty(0, device=known)
    except (RuntimeError, TypeError, ValueError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise TrainerError(f"device must be one that PyTorch can use here, not {device!r} ({reason})") from error
    if known.type == "meta":
        raise TrainerError("device must be one that computes, and PyTorch's meta device does not: use cpu or cuda")
    return known


def _is_finite(value: object) -> TypeGuard[float]:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
