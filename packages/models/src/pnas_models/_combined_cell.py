import copy
from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from pnas_models._cell import CellModule, CellSpec
from pnas_models._groups import Key, Maps, Task, grouped


class CombinedCell(nn.Module):
    """The cells that several children have at one place of the network, as one layer.

    `(N, n * C'', H'', W'')` and `(N, n * C', H', W')`, the children's maps side by side, to `(N, n * C, H, W)`. In each
    round, all operations whose inputs are ready, of all children and blocks, are grouped by their structure.
    """

    def __init__(self, cells: Sequence[CellModule]) -> None:
        super().__init__()
        self.drop_path = copy.deepcopy(cells[0].drop_path)
        self._before_previous = _of_each(cells, "before_previous")
        self._previous = _of_each(cells, "previous")
        self.adapt = grouped([task for child, cell in enumerate(cells) for task in _adaptors(child, cell)])
        rounds = _rounds(cells)
        self.rounds = nn.ModuleList(grouped(tasks) for tasks, _ in rounds)
        self._blocks = [blocks for _, blocks in rounds]
        self.project = grouped([task for child, cell in enumerate(cells) for task in _projections(child, cell)])
        self._output: tuple[Key, ...] = tuple(
            (child, "projected") if index == -2 else (child, index)
            for child, cell in enumerate(cells)
            for index in cell.spec.concat
        )

    def forward(self, before_previous: Tensor, previous: Tensor) -> Tensor:
        maps = Maps()
        maps.put(self._before_previous, before_previous)
        maps.put(self._previous, previous)
        for group in self.adapt:
            group(maps)
        for tasks, blocks in zip(self.rounds, self._blocks, strict=True):
            for group in tasks.children():
                group(maps, self.drop_path)
            path_1, path_2 = (maps.get(tuple((*block, slot) for block in blocks)) for slot in (1, 2))
            maps.put(blocks, path_1 + path_2)
        for group in self.project:
            group(maps)
        return maps.get(self._output)


def _of_each(cells: Sequence[CellModule], name: str) -> tuple[Key, ...]:
    return tuple((child, name) for child in range(len(cells)))


def _adaptors(child: int, cell: CellModule) -> Iterator[Task]:
    if -2 in cell.spec.read:
        yield Task(module=cell.adapt_before_previous, reads=(child, "before_previous"), writes=(child, -2))
    if -1 in cell.spec.read:
        yield Task(module=cell.adapt_previous, reads=(child, "previous"), writes=(child, -1))


def _projections(child: int, cell: CellModule) -> Iterator[Task]:
    if -2 in cell.spec.concat:
        yield Task(module=cell.project_output, reads=(child, -2), writes=(child, "projected"))


def _rounds(cells: Sequence[CellModule]) -> list[tuple[list[Task], tuple[Key, ...]]]:
    """The operations of each round, and the blocks `(child, index)` whose second path it computes."""
    tasks: list[list[Task]] = [[] for _ in range(max(len(cell.spec.blocks) for cell in cells))]
    sums: list[list[Key]] = [[] for _ in tasks]
    for child, cell in enumerate(cells):
        done_after = _done_after(cell.spec)
        for index, (input_1, name_1, input_2, name_2) in enumerate(cell.spec.blocks):
            operations = cell.operations_1[index], cell.operations_2[index]
            for slot, read, name in ((1, input_1, name_1), (2, input_2, name_2)):
                task = Task(
                    module=operations[slot - 1],
                    reads=(child, read),
                    writes=(child, index, slot),
                    drops=name != "identity",
                )
                tasks[done_after.get(read, 0)].append(task)
            sums[done_after[index] - 1].append((child, index))
    return [(tasks, tuple(blocks)) for tasks, blocks in zip(tasks, sums, strict=True) if tasks]


def _done_after(spec: CellSpec) -> dict[int, int]:
    """The number of rounds after which a block is there."""
    rounds: dict[int, int] = {}
    for index, (input_1, _, input_2, _) in enumerate(spec.blocks):
        rounds[index] = 1 + max(rounds.get(input_1, 0), rounds.get(input_2, 0))
    return rounds
