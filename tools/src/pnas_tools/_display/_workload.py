from collections.abc import Sequence
from dataclasses import dataclass

from pnas_search import LevelCost, Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._display._levels import LevelProgress, Snapshot, units_left
from pnas_tools._plan import Level

# What a few children have taken that end together says nothing.
_SECONDS_OF_A_PACE = 3.0


@dataclass
class _Tally:
    n_asked: int = 0
    n_done: int = 0
    n_failed: int = 0
    best: float | None = None
    n_images: int = 0

    def add(self, level: LevelCost) -> None:
        self.n_asked += level.n_asked
        self.n_done += level.n_done
        self.n_failed += level.n_failed
        self.n_images += level.n_examples
        if level.best_accuracy is not None:
            self.best = max(level.best_accuracy, self.best or 0.0)


class Workload:
    """How much of a search is done, and how long the rest will take, by the pace of this process so far.

    Args:
        levels: in the order in which they will come.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        self._planned = list(levels)
        self._tallies = [_Tally() for _ in self._planned]
        self._level = -1
        self._best: tuple[Cell, float] | None = None
        self._since: float | None = None
        self._n_trained, self._n_images, self._units_trained = 0, 0, 0

    @property
    def level(self) -> int:
        """From 1; 0 before the first."""
        return self._level + 1

    @property
    def n_levels(self) -> int:
        return len(self._planned)

    @property
    def level_is_done(self) -> bool:
        return self._tallies[self._level].n_done == self._n_planned(self._level)

    def start_round(self, request: Request, n_children: int) -> None:
        """A round of children like this one begins."""
        self._level = self._index(len(request.cell), request.fidelity)
        self._tallies[self._level].n_asked += n_children

    def count(self, request: Request, outcome: Outcome, *, was_there: bool, now: float) -> None:
        """A child of the round is done; by an earlier run, if it was there.

        The pace is that from the first one of this process on, which has waited until workers were ready.
        """
        tally = self._tallies[self._level]
        tally.n_done += 1
        tally.n_failed += outcome.accuracy is None
        tally.n_images += outcome.n_examples
        if outcome.status == "finished" and outcome.accuracy is not None:
            tally.best = max(outcome.accuracy, tally.best or 0.0)
            if self._best is None or outcome.accuracy > self._best[1]:
                self._best = request.cell, outcome.accuracy
        if was_there:
            return
        if self._since is None:
            self._since = now
        else:
            self._n_trained += 1
            self._n_images += outcome.n_examples
            self._units_trained += self._progress(self._level).units_per_child

    def catch_up(self, levels: Sequence[LevelCost], best: tuple[Cell, float] | None, now: float) -> None:
        """All that a ledger tells now; what is done since the first time makes the pace."""
        tallies = [_Tally() for _ in self._planned]
        for level in levels:
            self._level = self._index(level.n_blocks, level.fidelity)
            tallies[self._level].add(level)
        if self._since is None:
            self._since = now
        else:
            done = [new.n_done - old.n_done for new, old in zip(tallies, self._tallies, strict=True)]
            self._n_trained += sum(done)
            self._n_images += sum(tally.n_images for tally in tallies) - sum(tally.n_images for tally in self._tallies)
            self._units_trained += sum(n * self._progress(index).units_per_child for index, n in enumerate(done))
        self._tallies, self._best = tallies, best

    def snapshot(self, now: float) -> Snapshot:
        """The search at this moment."""
        levels = [self._progress(index) for index in range(len(self._planned))]
        seconds = 0.0 if self._since is None else now - self._since
        if not self._n_trained or seconds < _SECONDS_OF_A_PACE:
            return Snapshot(levels=levels, best=self._best)
        return Snapshot(
            levels=levels,
            best=self._best,
            children_per_second=self._n_trained / seconds,
            images_per_second=self._n_images / seconds,
            seconds_left=units_left(levels) * seconds / self._units_trained,
        )

    def _progress(self, index: int) -> LevelProgress:
        planned, tally = self._planned[index], self._tallies[index]
        return LevelProgress(
            n_blocks=planned.n_blocks,
            fidelity=planned.fidelity,
            n_planned=self._n_planned(index),
            n_done=tally.n_done,
            n_failed=tally.n_failed,
            best=tally.best,
        )

    def _n_planned(self, index: int) -> int:
        """As many as are planned, or where the level is over, as many as it had."""
        n_asked, planned = self._tallies[index].n_asked, self._planned[index]
        if index < self._level or (index == self._level and planned.is_one_round):
            return n_asked
        return max(n_asked, planned.n_children)

    def _index(self, n_blocks: int, fidelity: int) -> int:
        """Cells of several sizes may be trained longer; they are one level."""
        return next(
            index
            for index, level in enumerate(self._planned)
            if level.fidelity == fidelity and (level.n_blocks == n_blocks or fidelity > 1)
        )
