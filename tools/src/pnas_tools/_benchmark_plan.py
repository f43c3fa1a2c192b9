"""Which cells a benchmark trains, and with how many seeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pnas_search import SOURCES
from pnas_searchspace import Cell, CellSpace

UNIFORM, SEARCH, ANCESTOR = SOURCES


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """What decides which cells a benchmark trains.

    Attributes:
        n_uniform: cells drawn uniformly of the largest size; of those between it and one block, a fifth as many, since
            the ancestors of the larger ones come too.
        n_repeated: cells of each size that are trained with every seed, and not with the first alone.
        seeds: of runs; a search of each gives its beams, and each training's seed derives from one.
    """

    n_uniform: int = 210
    n_repeated: int = 200
    seeds: tuple[int, ...] = (0, 1, 2)

    def sources(self, space: CellSpace, n_blocks: int, searched: Iterable[Cell]) -> dict[Cell, str]:
        """All cells of up to so many blocks, sorted by size and key, with where they come from.

        Every cell has a parent among them, from which it is expanded. That of a sample is its canonical form without
        the last block, which is canonical as well.

        Args:
            space: of the cells.
            n_blocks: of the largest cells.
            searched: what searches have asked for, in any order; cells whose parents are among them.
        """
        rng = np.random.default_rng(0)
        uniform = set(space.to_cells(space.one_block_cells()))
        for size in range(n_blocks, 1, -1):
            uniform |= _sample(space, size, self.n_uniform if size == n_blocks else self.n_uniform // 5, rng)
        ancestors = {Cell(cell[:size]) for cell in uniform for size in range(1, len(cell))}
        # What comes later here goes before: a sample that a search has asked for as well is a sample.
        sources = {
            **dict.fromkeys(ancestors, ANCESTOR),
            **dict.fromkeys(searched, SEARCH),
            **dict.fromkeys(uniform, UNIFORM),
        }
        return dict(sorted(sources.items(), key=lambda item: (len(item[0]), item[0].key)))

    def repeated(self, cells: Sequence[Cell]) -> set[Cell]:
        """Those that are trained with every seed, drawn uniformly from each size."""
        rng = np.random.default_rng(1)
        chosen: set[Cell] = set()
        for _, of_size in sorted(_by_size(cells).items()):
            chosen |= {of_size[i] for i in rng.permutation(len(of_size))[: self.n_repeated]}
        return chosen


def _sample(space: CellSpace, size: int, n_cells: int, rng: np.random.Generator) -> set[Cell]:
    """So many different cells, or all where there are not so many."""
    wanted, cells = min(n_cells, space.count(size)), dict[Cell, None]()
    while len(cells) < wanted:
        cells |= dict.fromkeys(space.to_cells(space.sample(size, wanted, rng)))
    return set(list(cells)[:wanted])


def _by_size(cells: Sequence[Cell]) -> Mapping[int, list[Cell]]:
    by_size: dict[int, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.key):
        by_size.setdefault(len(cell), []).append(cell)
    return by_size
