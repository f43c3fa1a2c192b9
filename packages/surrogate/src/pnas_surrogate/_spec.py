from collections.abc import Mapping
from dataclasses import dataclass

from pnas_surrogate._errors import SurrogateError


@dataclass(frozen=True, kw_only=True)
class SequenceSpec:
    """What the positions of a token sequence mean.

    The token at position t is of kind `kinds[t % len(kinds)]`. One run through `kinds` is a group (in the paper, a
    block); sequences are one or more whole groups, and positions of one kind share one embedding.

    Attributes:
        kinds: the kinds of a group's positions, in order.
        vocabulary: how many tokens each kind has; a token is an integer from 0 to that number less one.

    Raises:
        SurrogateError: there is no kind, or a vocabulary is missing, superfluous or empty.
    """

    kinds: tuple[str, ...]
    vocabulary: Mapping[str, int]

    def __post_init__(self) -> None:
        if not self.kinds or set(self.kinds) != set(self.vocabulary):
            raise SurrogateError(
                f"vocabulary must give a size for each of the kinds {sorted(set(self.kinds))} and for no other, "
                f"not for {sorted(self.vocabulary)}"
            )
        for kind, size in self.vocabulary.items():
            if size < 1:
                raise SurrogateError(f"the vocabulary of {kind!r} must have 1 token or more, not {size!r}")
