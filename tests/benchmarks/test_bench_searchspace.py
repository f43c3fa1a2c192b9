"""The search space as arrays and formulas: against what one would write first, plain Python over tuples."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations_with_replacement, permutations, product
from random import Random
from typing import Any

import numpy as np
import pytest

from pnas_searchspace import PNAS_OPERATIONS, CellSpace

SPACE = CellSpace(sorted(PNAS_OPERATIONS))  # so that numbers of operations sort as their names do
SMALL_SPACE = CellSpace(sorted(PNAS_OPERATIONS[:3]))
BEAM = SPACE.one_block_cells()[::8]  # 17 cells
CELLS = SPACE.sample(5, 500, 0)[:, :, [2, 3, 0, 1]]


def all_blocks(n_earlier: int, space: CellSpace) -> list[tuple[Any, ...]]:
    operands = list(product(range(-space.n_cell_inputs, n_earlier), sorted(space.operations)))
    return [(*first, *second) for first, second in combinations_with_replacement(operands, 2)]


def all_orders(cell: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Every order of the blocks in which none comes before one that it reads, relabelled, operands sorted."""
    blocks = list(cell)
    for order in permutations(range(len(blocks))):
        place = {old: new for new, old in enumerate(order)}
        moved = [sorted(((place.get(i, i), o), (place.get(j, j), p))) for i, o, j, p in (blocks[old] for old in order)]
        if all(second[0] < new for new, (_, second) in enumerate(moved)):
            yield tuple((*first, *second) for first, second in moved)


def canonical(cell: Iterable[Any]) -> tuple[Any, ...]:
    return min(all_orders(cell))


def canonical_by_all_orders() -> Any:
    return [[list(block) for block in canonical(cell)] for cell in CELLS.tolist()]


def canonical_as_array() -> Any:
    return SPACE.canonical(CELLS).tolist()


def count(n_blocks: int) -> int:
    return CellSpace(SPACE.operations).count(n_blocks)  # a space remembers what it has counted


def cells_in_a_set(space: CellSpace, n_blocks: int) -> int:
    encodings = product(*(all_blocks(n_earlier, space) for n_earlier in range(n_blocks)))
    return len({canonical(blocks) for blocks in encodings})


def enumerated(space: CellSpace, n_blocks: int) -> int:
    return sum(len(batch) for batch in space.enumerate(n_blocks))


def children_in_a_set() -> int:
    return len({canonical([*cell, block]) for cell in SPACE.to_cells(BEAM) for block in all_blocks(1, SPACE)})


def children_as_array() -> int:
    return len(SPACE.expand(BEAM)[0])


def sampled_by_rejection() -> int:
    """Uniform over encodings, accepted less often the more encodings a cell has."""
    rng = Random(0)
    choices = [all_blocks(n_earlier, SPACE) for n_earlier in range(5)]
    cells: list[Any] = []
    while len(cells) < 200:
        encoding = tuple(rng.choice(blocks) for blocks in choices)
        if rng.random() * len(set(all_orders(encoding))) < 1:
            cells.append(encoding)
    return len(cells)


def sampled() -> int:
    return len(SPACE.sample(5, 200, np.random.default_rng(0)))


def compared(group: str, ours: Callable[[], Any], *others: Callable[[], Any]) -> Any:
    """Parameters of one test: our way and the others, which have to give what ours gives."""
    return [pytest.param(way, ours, marks=pytest.mark.benchmark(group=group)) for way in (ours, *others)]


def name(way: Any) -> str:
    return str(getattr(way, "func", way).__name__)


@pytest.mark.parametrize(
    ("way", "ours"),
    [
        *compared("canonical form of 500 cells", canonical_as_array, canonical_by_all_orders),
        *compared("count 2 blocks", partial(count, 2), partial(cells_in_a_set, SPACE, 2)),
        *compared(
            "enumerate 3 blocks, 3 operations",
            partial(enumerated, SMALL_SPACE, 3),
            partial(cells_in_a_set, SMALL_SPACE, 3),
        ),
        *compared("expand 17 cells of one block", children_as_array, children_in_a_set),
        *compared("sample 200 cells of 5 blocks", sampled, sampled_by_rejection),
    ],
    ids=name,
)
def test_search_space(benchmark: Any, way: Callable[[], Any], ours: Callable[[], Any]) -> None:
    assert benchmark.pedantic(way, rounds=3, warmup_rounds=1) == ours()


@pytest.mark.benchmark(group="at full size")
@pytest.mark.parametrize("n_blocks", [5, 6, 10])
def test_count(benchmark: Any, n_blocks: int) -> None:
    counts = {5: 3_147_356_952_080, 6: 2_340_626_795_466_156, 10: 3_324_691_154_364_681_493_701_971_396}
    assert benchmark(count, n_blocks) == counts[n_blocks]


@pytest.mark.benchmark(group="at full size")
def test_enumerate_all_cells_of_3_blocks(benchmark: Any) -> None:
    assert benchmark.pedantic(enumerated, args=(SPACE, 3), rounds=3) == SPACE.count(3)


@pytest.mark.benchmark(group="at full size")
def test_sample_10000_cells_of_5_blocks(benchmark: Any) -> None:
    assert len(benchmark(SPACE.sample, 5, 10_000, 0)) == 10_000


@pytest.mark.benchmark(group="at full size")
@pytest.mark.parametrize("beam", ["drawn", "first", "twins"])
def test_expand_256_cells_of_4_blocks(benchmark: Any, beam: str) -> None:
    """Drawn uniformly; the first in order, where equal blocks abound; and with equal blocks that are read."""
    if beam == "drawn":
        parents = SPACE.sample(4, 256, 0)
    elif beam == "first":
        parents = next(SPACE.enumerate(4))[:256]
    else:
        blocks = SPACE.one_block_cells()[:, 0]
        readers = [[[0, first, 1, second]] for first, second in ((0, 1), (2, 3))]
        parents = np.array([[block, block, block, *reader] for reader in readers for block in blocks])[:256]
    children, _ = benchmark(SPACE.expand, parents)
    assert len(children) > 100_000


@pytest.mark.benchmark(group="at full size")
def test_encode_256_expanded_cells(benchmark: Any) -> None:
    children, _ = SPACE.expand(SPACE.sample(4, 256, 0))
    assert benchmark(SPACE.encode, children).shape == (len(children), 20)
