"""Which rows a cell is drawn in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pnas_searchspace import Block


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The rows of a drawing from the bottom up: the cell's inputs, then the blocks by depth.

    A source is an input or a block, by the number that blocks read it by. It stands in its home row, and goes through
    the rows above it in a lane up to the last of those that read it.

    Attributes:
        blocks: of the cell.
        concat: the sources that make up the cell's output.
        home: the row that each source stands in.
        rows: the sources that stand in each row or go through it.
    """

    blocks: Sequence[Block]
    concat: Sequence[int]
    home: Mapping[int, int]
    rows: Sequence[Sequence[int]]

    def read(self, source: int, row: int) -> tuple[int, ...]:
        """What a source in a row leads to in the row below: its block's inputs, or itself in a lane."""
        if row > self.home[source]:
            return (source,)
        return () if source < 0 else inputs_of(self.blocks[source])


def inputs_of(block: Block) -> tuple[int, int]:
    return (block.input_1, block.input_2)


def layers_of(blocks: Sequence[Block], concat: Sequence[int]) -> Layers:
    """The rows of a cell; an input that nothing reads is left out."""
    home = dict.fromkeys(sorted(_read(blocks, concat)), 0)
    for index, block in enumerate(blocks):
        home[index] = 1 + max(home[source] for source in inputs_of(block))
    n_rows = 1 + max(home.values())
    last = dict(home)
    for index, block in enumerate(blocks):
        for source in inputs_of(block):
            last[source] = max(last[source], home[index] - 1)
    last.update(dict.fromkeys(concat, n_rows - 1))
    rows = [[source for source in home if home[source] <= row <= last[source]] for row in range(n_rows)]
    return Layers(blocks=blocks, concat=concat, home=home, rows=rows)


def _read(blocks: Sequence[Block], concat: Sequence[int]) -> set[int]:
    return {source for block in blocks for source in inputs_of(block) if source < 0} | {s for s in concat if s < 0}
