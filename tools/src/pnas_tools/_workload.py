from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Level:
    """Children that are alike in size and in how long they are trained.

    Attributes:
        n_blocks: of their cells.
        fidelity: how many times as long as usual they are trained.
        n_children: how many are planned.
        is_one_round: whether a single round has all of them, and so says how many they are.
    """

    n_blocks: int
    n_children: int
    fidelity: int = 1
    is_one_round: bool = True

    @property
    def units(self) -> int:
        """The work for a child: its blocks, and what every network has besides."""
        return (self.n_blocks + 1) * self.fidelity


class Workload:
    """How much of a search is done, and how long the rest will take.

    Args:
        levels: in the order in which they will come.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = list(levels)
        self._n_asked = [0] * len(self._levels)
        self._level = -1
        self._n_done = 0
        self._n_done_in_level = 0
        self._started: float | None = None
        self._units_trained = 0

    @property
    def level(self) -> int:
        """From 1; 0 before the first."""
        return self._level + 1

    @property
    def n_levels(self) -> int:
        return len(self._levels)

    @property
    def n_children(self) -> int:
        """As many as are planned, or where a level is over, as many as it had."""
        return sum(self._n_planned(level) for level in range(len(self._levels)))

    @property
    def n_done(self) -> int:
        return self._n_done

    @property
    def level_is_done(self) -> bool:
        return self._n_done_in_level == self._n_planned(self._level)

    def start_round(self, n_blocks: int, fidelity: int, *, n_children: int, n_done: int, now: float) -> None:
        """A round begins with `n_done` of its children finished by an earlier run."""
        level = self._index(n_blocks, fidelity)
        if level != self._level:
            self._level, self._n_done_in_level = level, 0
        self._n_asked[level] += n_children
        self._n_done_in_level += n_done
        self._n_done += n_done
        if self._started is None and n_done < n_children:
            self._started = now

    def finish_child(self) -> None:
        """A child of the round is done."""
        self._n_done_in_level += 1
        self._n_done += 1
        self._units_trained += self._levels[self._level].units

    def seconds_left(self, now: float) -> float | None:
        """By the pace of this process so far; None before it has one."""
        if self._started is None or self._units_trained == 0:
            return None
        left = (self._n_planned(self._level) - self._n_done_in_level) * self._levels[self._level].units
        later = sum(level.n_children * level.units for level in self._levels[self._level + 1 :])
        return (left + later) * (now - self._started) / self._units_trained

    def _n_planned(self, level: int) -> int:
        n_asked, planned = self._n_asked[level], self._levels[level]
        if level < self._level or (level == self._level and planned.is_one_round):
            return n_asked
        return max(n_asked, planned.n_children)

    def _index(self, n_blocks: int, fidelity: int) -> int:
        """Cells of several sizes may be trained longer; they are one level."""
        return next(
            index
            for index, level in enumerate(self._levels)
            if level.fidelity == fidelity and (level.n_blocks == n_blocks or fidelity > 1)
        )
