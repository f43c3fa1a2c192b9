from collections.abc import Callable
from functools import partial
from typing import Any

from pnas_trainer._cpu._program._layout import Memory, View, place


class Program:
    """Calls of functions of arrays in a fixed order, whose arguments are known before anything runs.

    So all memory can be laid out once, and what a call costs beyond its function is next to nothing.

    Attributes:
        n_together: how many images lie side by side, pixel by pixel, as if they were one with more channels: what goes
            along rows gets longer ones.
    """

    def __init__(self, n_together: int = 1) -> None:
        self.n_together = n_together
        self._steps: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self._memories: dict[Memory, None] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """One more call; where an argument is a `Memory` or a `View`, the function gets its array."""
        for argument in (*arguments, *named.values()):
            self.use(argument)
        self._steps.append((function, arguments, named))

    def use(self, argument: Any) -> None:
        """Keep a memory for whoever reads or writes it before or after the next step."""
        memory = argument.memory if isinstance(argument, View) else argument
        if isinstance(memory, Memory):
            memory.used_at(len(self._steps))
            self._memories[memory] = None

    def compiled(self) -> list[Callable[[], Any]]:
        """The calls, with memory."""
        place(self._memories)
        return [
            partial(function, *map(_bound, arguments), **{name: _bound(value) for name, value in named.items()})
            for function, arguments, named in self._steps
        ]


def _bound(argument: Any) -> Any:
    if isinstance(argument, Memory):
        return argument.array
    if not isinstance(argument, View):
        return argument
    array = argument.memory.array.reshape(argument.shape)
    return array.T if argument.is_transposed else array
