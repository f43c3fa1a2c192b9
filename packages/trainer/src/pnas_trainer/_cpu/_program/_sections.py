"""How a program's steps are cut into sections, whose steps run for some images, and then for the next ones."""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import torch

from pnas_trainer._cpu._program._layout import Memory, Part, View

_BYTES = 2**20
"""Of the largest map of a part, about: with less, what calls cost to begin with would come more often."""


@dataclass(frozen=True)
class OfTensors:
    """A function that gets tensors instead of arrays, of the same memory."""

    function: Callable[..., Any]


Function = Callable[..., Any] | OfTensors


@dataclass(frozen=True, kw_only=True)
class Step:
    """A call: one of all images, one that does the same to every image, or one that sums something up over images."""

    kind: Literal["whole", "by image", "sum"]
    function: Function
    arguments: tuple[Any, ...]

    @property
    def memories(self) -> Iterator[Memory]:
        """What it reads and writes."""
        for argument in self.arguments:
            memory = argument.memory if isinstance(argument, View) else argument
            if isinstance(memory, Memory):
                yield memory

    def bound(self, part: Part) -> Callable[[], Any]:
        """The call for some images; sums begin anew with the first ones."""
        function, arguments = self.function, list(map(part.bound, self.arguments))
        if isinstance(function, OfTensors):
            function = function.function
            arguments = [torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in arguments]
        return partial(function, *([part.begin == 0] if self.kind == "sum" else []), *arguments)


@dataclass(kw_only=True)
class Section:
    """Steps in a row, the first of which has that number; and the parts of a batch that they run for."""

    first: int
    steps: list[Step] = field(default_factory=list)
    parts: Sequence[Part] = ()

    @property
    def last(self) -> int:
        return self.first + len(self.steps) - 1

    def calls(self) -> Iterator[Callable[[], Any]]:
        """In order."""
        for part in self.parts:
            for step in self.steps:
                yield step.bound(part)

    def settle(self, kept: Collection[Memory]) -> None:
        """Say from when to when its memories are used, now that steps come again for every part.

        What is used nowhere else and by nobody outside need not hold more than a part.
        """
        if len(self.parts) == 1:
            return
        most = max(map(len, self.parts))
        for memory in {memory for step in self.steps for memory in step.memories}:
            is_inside = memory.first is not None and self.first <= memory.first and memory.last <= self.last
            if memory.by_image and is_inside and memory not in kept:
                memory.held = memory.shape[0] // self.parts[0].of * most
            else:
                memory.used_at(self.first)
                memory.used_at(self.last)


def sections(steps: Sequence[Step], n_rows: int, ends: Collection[int], *, is_cut: bool) -> list[Section]:
    """Where steps are cut, the fewest, which end before those of the numbers `ends` and around such as need all images;
    else one for each step.
    """
    found: list[Section] = []
    for index, step in enumerate(steps):
        if not is_cut or not found or index in ends or "whole" in (step.kind, found[-1].steps[-1].kind):
            found.append(Section(first=index))
        found[-1].steps.append(step)
    for section in found:
        section.parts = _parts(section, n_rows, is_cut=is_cut and section.steps[0].kind != "whole")
    return found


def _parts(section: Section, n_rows: int, *, is_cut: bool) -> list[Part]:
    memories = [memory for step in section.steps for memory in step.memories if memory.by_image]
    if not is_cut or not memories:
        return [Part(0, n_rows, n_rows)]
    largest = max(memory.n_bytes for memory in memories)
    n_parts = min(n_rows, max(1, round(largest / _BYTES)))
    bounds = [n_rows * index // n_parts for index in range(n_parts + 1)]
    return [Part(begin, end, n_rows) for begin, end in itertools.pairwise(bounds)]
