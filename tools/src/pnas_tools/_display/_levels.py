"""How far a search is, level by level, for whoever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pnas_searchspace import Cell


@dataclass(frozen=True, kw_only=True)
class LevelProgress:
    """Children that are alike in size and in how long they are trained.

    Attributes:
        n_blocks: of their cells.
        fidelity: how many times as long as usual they are trained.
        n_planned: how many there will be, as far as that is known.
        n_done: how many of them have an outcome.
        n_failed: how many of these have failed.
        best: the best accuracy of those that finished.
    """

    n_blocks: int
    fidelity: int
    n_planned: int
    n_done: int = 0
    n_failed: int = 0
    best: float | None = None

    @property
    def units_per_child(self) -> int:
        """The work for a child: its blocks, and what every network has besides."""
        return (self.n_blocks + 1) * self.fidelity


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A search at one moment.

    Attributes:
        levels: in the order in which they come, those that have not begun too.
        best: the most accurate cell of those that finished, with its accuracy.
        children_per_second: since the search went on; None before a child is done.
        images_per_second: that went through SGD, likewise.
        seconds_left: by that pace.
    """

    levels: Sequence[LevelProgress]
    best: tuple[Cell, float] | None = None
    children_per_second: float | None = None
    images_per_second: float | None = None
    seconds_left: float | None = None

    @property
    def n_done(self) -> int:
        return sum(level.n_done for level in self.levels)

    @property
    def n_planned(self) -> int:
        return sum(level.n_planned for level in self.levels)


def units_left(levels: Sequence[LevelProgress]) -> int:
    """The work for all children that are not done."""
    return sum((level.n_planned - level.n_done) * level.units_per_child for level in levels)
