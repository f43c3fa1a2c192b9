from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from types import MappingProxyType
from typing import Any, Self

from pnas_surrogate._errors import SurrogateError


@dataclass(frozen=True, kw_only=True)
class SequenceSpec:
    """What the positions of a token sequence mean.

    The token at position t is of kind `kinds[t % len(kinds)]`. One run through `kinds` is a group (in the paper, a
    block); sequences are one or more whole groups, and positions of one kind share one embedding.

    Attributes:
        kinds: the kinds of a group's positions, in order.
        vocabulary: how many tokens each kind has; a token is an integer from 0 to that number less one. It cannot be
            changed, and is in the order of `kinds`.

    Raises:
        SurrogateError: there is no kind, one is no text, or a vocabulary is missing, superfluous or empty.
    """

    kinds: tuple[str, ...]
    vocabulary: Mapping[str, int]

    def __post_init__(self) -> None:
        kinds, sizes = tuple(self.kinds), dict[Any, Any](self.vocabulary)
        if not kinds or set(kinds) != set(sizes):
            raise SurrogateError(
                f"vocabulary must give a size for each of the kinds {sorted(set(kinds), key=str)} and for no other, "
                f"not for {sorted(sizes, key=str)}"
            )
        for kind, size in sizes.items():
            if not isinstance(kind, str):
                raise SurrogateError(f"a kind must be a text, not {kind!r}")
            if not isinstance(size, Integral) or size < 1:
                raise SurrogateError(f"the vocabulary of {kind!r} must have 1 token or more, not {size!r}")
        # Predictors draw their initial weights in the order of kinds: equal specs must give equal ones.
        ordered = MappingProxyType({kind: int(sizes[kind]) for kind in dict.fromkeys(kinds)})
        object.__setattr__(self, "kinds", kinds)
        object.__setattr__(self, "vocabulary", ordered)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kinds={self.kinds}, vocabulary={dict(self.vocabulary)})"

    def __hash__(self) -> int:
        return hash((self.kinds, *self.vocabulary.values()))

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Copies and pickles are made anew: a read-only mapping cannot be copied."""
        return partial(type(self), kinds=self.kinds, vocabulary=dict(self.vocabulary)), ()
