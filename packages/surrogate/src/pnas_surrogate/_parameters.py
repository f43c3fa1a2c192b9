from numbers import Integral
from typing import Any

from pnas_surrogate._errors import SurrogateError


def check_integers(estimator: Any, **least: int) -> None:
    """Raise `SurrogateError` where a parameter of that name is no integer, or less than that."""
    for name, smallest in least.items():
        value = getattr(estimator, name)
        if not isinstance(value, Integral) or int(value) < smallest:
            raise SurrogateError(f"{name} must be an integer, {smallest} or more, not {value!r}")
