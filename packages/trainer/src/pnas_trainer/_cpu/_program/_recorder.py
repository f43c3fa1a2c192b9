from collections.abc import Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

from pnas_trainer._cpu._program._recording import Recording
from pnas_trainer._cpu._program._writers import WRITERS
from pnas_trainer._metadata import METADATA
from pnas_trainer._windows import NotRecordableError


class Recorder(TorchFunctionMode):
    """While a model runs in it, writes down what the model computes, for each of some sizes of batches.

    Attributes:
        problem: what cannot be written; what is said of the `recordings` by then is of no use.
    """

    def __init__(self, recordings: Sequence[Recording]) -> None:
        super().__init__()
        self.problem: str | None = None
        self._recordings = recordings
        self._seen: list[Any] = []  # whole, so that no other tensor gets the `id` of one

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if self.problem is None and func not in METADATA:
            self._seen.append((args, kwargs, result))
            try:
                for recording in self._recordings:
                    _write(recording, func, args, kwargs, result)
            except (NotRecordableError, TypeError) as error:  # a call of a form that its writer does not know
                self.problem = str(error)
        return result


def _write(recording: Recording, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    write = WRITERS.get(func)
    if write is None:  # whatever it is of: random numbers, or a look at a number of the host's
        raise NotRecordableError(getattr(func, "__name__", repr(func)))
    write(recording, result, *args, **kwargs)
