import math
from numbers import Integral, Real
from typing import Any

from pnas_surrogate._errors import SurrogateError

_TOO_LARGE = 2**63


def check_integers(estimator: Any, **least: int) -> None:
    """Raise `SurrogateError` where a parameter of that name is no integer, or less than that."""
    for name, smallest in least.items():
        value = getattr(estimator, name)
        if not isinstance(value, Integral) or not smallest <= int(value) < _TOO_LARGE:
            raise SurrogateError(f"{name} must be an integer, {smallest} or more, not {value!r}")


def check_finite(estimator: Any, *names: str, least: float = -math.inf) -> None:
    """Raise `SurrogateError` where a parameter of that name is no finite number above `least`."""
    for name in names:
        value = getattr(estimator, name)
        if not isinstance(value, Real) or not least < float(value) < math.inf:
            above = "" if math.isinf(least) else f" above {least:g}"
            raise SurrogateError(f"{name} must be a finite number{above}, not {value!r}")
