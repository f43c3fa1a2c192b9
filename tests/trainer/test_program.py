"""A program computes the same whether its calls run for all images or for some at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_trainer._cpu._program import _sections
from pnas_trainer._cpu._program._layout import Memory
from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._sections import Step, sections

N_IMAGES, N_CHANNELS = 6, 3

kinds = st.sampled_from(["map", "view", "derive", "derive once", "sum", "whole", "backward"])
steps_of_any_kind = st.lists(st.tuples(kinds, st.integers(0, 20), st.booleans()), max_size=14)
"""Of what kind, of which map that is there, and whether somebody outside reads it at last."""


def moved(x, y, by):
    y[:] = 2 * x + by


def add_total(is_first, x, total):
    total[:] = x.sum(0) if is_first else total + x.sum(0)


def centred(x, total, y):
    y[:] = x - total / len(x)


class Built:
    """A program of steps of some kinds, each of which reads one of the maps that are there."""

    def __init__(self, steps, n_together, *, is_cut):
        self.program = Program(N_IMAGES, n_together=n_together, is_cut=is_cut)
        self.maps = [Memory(2 * N_IMAGES, N_CHANNELS, by_image=True)]  # images of two pixels
        self.seen = []
        self.program.keep(self.maps[0])
        read = []
        for number, (kind, which, is_read) in enumerate(steps):
            made = self.add(kind, self.maps[which % len(self.maps)], number)
            if made is not None:
                self.maps.append(made)
                read += [made] * is_read
        for memory in read:
            self.see(memory)

    def see(self, memory):
        self.program.add(lambda x: self.seen.append(x.copy()), memory)

    def add(self, kind, x, number):
        """The map that it makes, if any."""
        program, y = self.program, Memory(*self.maps[0].shape, by_image=True)
        if kind == "map":
            program.add_by_image(moved, x, y, number)
        elif kind == "view":
            shape = N_IMAGES // program.n_together, 2 * N_CHANNELS * program.n_together
            program.add_by_image(moved, x.shaped(*shape), y.shaped(*shape), number)
        elif kind in ("derive", "derive once"):
            # Of the first map, so that one may be derived again wherever there is need of it.
            derived = program.derived(
                (kind, number % 2),
                Memory(*x.shape, by_image=True),
                lambda into: program.add_by_image(moved, self.maps[0], into, number % 2),
                once=kind == "derive once",
            )
            program.add_by_image(np.add, x, derived, y)
        elif kind in ("sum", "whole"):
            total = Memory(N_CHANNELS)
            program.add_sum(add_total, x, total)
            if kind == "whole":
                program.add(centred, x, total, y)
            else:
                self.see(total)
                return None
        else:
            program.begin_backward()
            return None
        return y

    def results(self):
        forward, backward = self.program.compiled()
        for run in range(2):  # what a run leaves behind must not matter to the next one
            self.maps[0].array[:] = run + np.arange(self.maps[0].array.size).reshape(self.maps[0].array.shape)
            for call in (*forward, *backward):
                call()
        return self.seen


@settings(deadline=None, max_examples=300)
@given(steps_of_any_kind, st.sampled_from([1, 2, 3]), st.integers(1, 200))
def test_some_images_at_a_time_or_all(steps, n_together, n_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sections, "_BYTES", n_bytes)
        whole, cut = (Built(steps, n_together, is_cut=is_cut).results() for is_cut in (False, True))
    assert len(whole) == len(cut)
    for ours, theirs in zip(cut, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def by_image(*memories):
    return Step(kind="by image", function=np.add, arguments=memories)


def whole(*memories):
    return Step(kind="whole", function=np.add, arguments=memories)


def used(steps):
    for index, step in enumerate(steps):
        for memory in step.memories:
            memory.used_at(index)
    return steps


def test_sections_end_around_steps_of_all_images_and_between_the_passes():
    a = Memory(4, 3, by_image=True)
    steps = used([by_image(a), by_image(a), whole(a), by_image(a), by_image(a), by_image(a)])
    found = sections(steps, 4, {4}, is_cut=True)
    assert [(section.first, section.last) for section in found] == [(0, 1), (2, 2), (3, 3), (4, 5)]


def test_parts_are_as_large_as_they_may_be_and_about_equal(monkeypatch):
    monkeypatch.setattr(_sections, "_BYTES", 100)
    steps = used([by_image(Memory(7, 10, by_image=True))])
    (section,) = sections(steps, 7, (), is_cut=True)
    assert [(part.begin, part.end) for part in section.parts] == [(0, 2), (2, 4), (4, 7)]
    (section,) = sections(steps, 7, (), is_cut=False)
    assert [(part.begin, part.end) for part in section.parts] == [(0, 7)]


def test_what_a_section_alone_uses_holds_a_part(monkeypatch):
    monkeypatch.setattr(_sections, "_BYTES", 120)
    passing, staying, kept = (Memory(6, 10, by_image=True) for _ in range(3))
    steps = used([by_image(passing, staying, kept), by_image(passing), whole(staying)])
    first, second = sections(steps, 6, (), is_cut=True)
    first.settle({kept})
    second.settle({kept})
    assert len(first.parts) == 2
    assert (passing.held, staying.held, kept.held) == (3, 6, 6)
    assert (passing.first, passing.last) == (0, 1)
    assert (staying.first, staying.last) == (0, 2)
