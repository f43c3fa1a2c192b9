class Workload:
    """How much of a search is done, and how long the rest will take.

    A child of b blocks counts as b + 1 units of work: its blocks, and what every network has besides.

    Args:
        level_sizes: how many children each level will have, from one block on.
    """

    def __init__(self, level_sizes: list[int]) -> None:
        self._level_sizes = list(level_sizes)
        self._level = 0
        self._n_done_in_level = 0
        self._n_done_before = 0
        self._started: float | None = None
        self._units_trained = 0

    @property
    def n_levels(self) -> int:
        return len(self._level_sizes)

    @property
    def n_children(self) -> int:
        return sum(self._level_sizes)

    @property
    def n_done(self) -> int:
        return self._n_done_before + self._n_done_in_level

    @property
    def level_is_done(self) -> bool:
        return self._n_done_in_level == self._level_sizes[self._level - 1]

    def start_level(self, level: int, n_children: int, n_done: int, now: float) -> None:
        """Level `level`, counted from 1, begins with `n_done` of its children finished by an earlier run."""
        self._n_done_before += self._n_done_in_level
        self._level = level
        self._level_sizes[level - 1] = n_children
        self._n_done_in_level = n_done
        if self._started is None and n_done < n_children:
            self._started = now

    def finish_child(self) -> None:
        self._n_done_in_level += 1
        self._units_trained += self._level + 1

    def seconds_left(self, now: float) -> float | None:
        """By the pace of this process so far; None before it has one."""
        if self._started is None or self._units_trained == 0:
            return None
        left_in_level = (self._level_sizes[self._level - 1] - self._n_done_in_level) * (self._level + 1)
        later = sum(size * (level + 1) for level, size in enumerate(self._level_sizes, start=1) if level > self._level)
        return (left_in_level + later) * (now - self._started) / self._units_trained
