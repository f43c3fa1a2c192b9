from collections.abc import Callable, Hashable
from typing import Any, Literal

from pnas_trainer._cpu._program._layout import Memory, place
from pnas_trainer._cpu._program._sections import Function, Step, sections

Call = Callable[[], Any]


class Program:
    """Calls of functions of arrays in a fixed order, whose arguments are known before anything runs.

    So all memory can be laid out once, and what a call costs beyond its function is next to nothing. Where an argument
    is a `Memory` or a `View`, the function gets its array, or the tensor of that if it is one `OfTensors`.

    Where maps are too large for a processor's cache, calls in a row run for some of the images at a time, so that what
    one of them writes is still there when the next one reads it.

    Args:
        n_images: of a batch.
        n_together: how many of them lie side by side, pixel by pixel, as if they were one with more channels: what goes
            along rows gets longer ones.
        is_cut: whether calls run for some of the images at a time.
    """

    def __init__(self, n_images: int, *, n_together: int = 1, is_cut: bool = False) -> None:
        self.n_together = n_together
        self._n_rows = n_images // n_together
        self._is_cut = is_cut and self._n_rows > 1
        self._steps: list[Step] = []
        self._n_forward = 0
        self._derived: dict[Hashable, Memory] = {}
        self._passing: set[Hashable] = set()
        self._kept: set[Memory] = set()

    def add(self, function: Function, *arguments: Any) -> None:
        """One more call, of all images."""
        self._add("whole", function, arguments)
        self._end_section()

    def add_by_image(self, function: Function, *arguments: Any) -> None:
        """One that does the same to every image, and so may be done to some of them at a time."""
        self._add("by image", function, arguments)

    def add_sum(self, function: Function, *arguments: Any) -> None:
        """One that sums something up over images. It is told first whether these are the first of them, with which the
        sum begins anew. What it sums up is there for calls that are added after the next one of all images.
        """
        self._add("sum", function, arguments)

    def derived(self, key: Hashable, memory: Memory, write: Callable[[Memory], None], *, once: bool = False) -> Memory:
        """Where to read what costs little to compute: `write` adds the calls that do.

        It is computed once, into `memory`; but where calls run for some of the images at a time, and unless `once` says
        otherwise, in every section that reads it, into memory that stays in the cache.
        """
        if not self.has_derived(key):
            is_passing = self._is_cut and not once
            self._derived[key] = Memory(*memory.shape, dtype=memory.dtype.type, by_image=True) if is_passing else memory
            if is_passing:
                self._passing.add(key)
            write(self._derived[key])
        return self._derived[key]

    def has_derived(self, key: Hashable) -> bool:
        """Whether it need not be computed for who reads it next."""
        return key in self._derived

    def keep(self, memory: Memory) -> None:
        """For somebody outside, who reads or writes all of it before or after the next step."""
        memory.used_at(len(self._steps))
        self._kept.add(memory)

    def begin_backward(self) -> None:
        """What is added from here on is the second of two passes."""
        self._n_forward = len(self._steps)
        self._end_section()

    def compiled(self) -> tuple[list[Call], list[Call]]:
        """The calls of both passes, with memory."""
        found = sections(self._steps, self._n_rows, {self._n_forward}, is_cut=self._is_cut)
        for section in found:
            section.settle(self._kept)
        place(dict.fromkeys((*(memory for step in self._steps for memory in step.memories), *self._kept)))
        forward, backward = (
            [call for section in found if (section.first < self._n_forward) is is_forward for call in section.calls()]
            for is_forward in (True, False)
        )
        return forward, backward

    def _add(self, kind: Literal["whole", "by image", "sum"], function: Function, arguments: tuple[Any, ...]) -> None:
        step = Step(kind=kind, function=function, arguments=arguments)
        for memory in step.memories:
            memory.used_at(len(self._steps))
        self._steps.append(step)

    def _end_section(self) -> None:
        for key in self._passing:
            del self._derived[key]
        self._passing.clear()
