from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._spec import SequenceSpec


def describe(value: Any) -> Any:
    """An estimator, a spec or a parameter as JSON."""
    match value:
        case BaseEstimator():
            parameters = {name: describe(given) for name, given in value.get_params(deep=False).items()}
            return {"class": _name(type(value)), "parameters": parameters}
        case SequenceSpec():
            return {"kinds": list(value.kinds), "vocabulary": dict(value.vocabulary)}
        case np.generic():
            return describe(value.item())
        case tuple():
            return {"tuple": [describe(entry) for entry in value]}
        case list():
            return [describe(entry) for entry in value]
        case None | bool() | int() | float() | str():
            return value
    raise SurrogateError(
        f"a parameter is {value!r}, which cannot be saved; expected numbers, texts, specs, predictors, or lists of them"
    )


def make(description: Any, base: type[BaseEstimator]) -> Any:
    """What `describe` has described; estimators are those of the subclasses of `base` that there are."""
    match description:
        case {"class": str(name), "parameters": dict(parameters)}:
            # Of equal names the latest counts: a notebook's cell that runs again defines its class again.
            classes = {_name(known): known for known in _subclasses(base)}
            if name not in classes:
                raise SurrogateError(f"it holds a {name}, which is not known: import the module that defines it first")
            return classes[name](**{parameter: make(value, base) for parameter, value in parameters.items()})
        case {"kinds": list(kinds), "vocabulary": dict(vocabulary)}:
            return SequenceSpec(kinds=tuple(kinds), vocabulary=vocabulary)
        case {"tuple": list(entries)}:
            return tuple(make(entry, base) for entry in entries)
        case list():
            return [make(entry, base) for entry in description]
        case None | bool() | int() | float() | str():
            return description
    raise SurrogateError(f"expected the description of a predictor, a spec or a parameter, got {description!r}")


def _name(cls: type) -> str:
    """With its package, as two may have classes of one name, but not with its module, which may move."""
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
