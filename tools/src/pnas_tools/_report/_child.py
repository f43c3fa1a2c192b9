"""A child of a search as the report tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pnas_search import LedgerRow
from pnas_searchspace import Cell

WAITING, BEGUN = "waiting", "begun"
"""The status of a child without an outcome, before and after a worker has begun to train it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """A row of the ledger.

    Attributes:
        index: in the order in which children were asked for, from 0.
        cell: the child's.
        fidelity: how many times as long as usual it is trained.
        parent: index of the child it was expanded from, or of the same cell trained as long as usual; else None.
        predicted: what the surrogate expected; None where it was not asked.
        status: of its outcome, or `WAITING`, or `BEGUN`.
        accuracy: validation accuracy in [0, 1]; None where there is none.
        n_examples: images that went through SGD.
        seconds: of training.
        n_parameters: of its network, where they are known.
        multiply_adds: of its network for an image, where they are known.
        is_interpolated: whether a benchmark has estimated its accuracy.
        message: how it failed; empty for others.
    """

    index: int
    cell: Cell
    fidelity: int
    parent: int | None
    predicted: float | None
    status: str
    accuracy: float | None
    n_examples: int
    seconds: float
    n_parameters: int | None
    multiply_adds: int | None
    is_interpolated: bool
    message: str

    @property
    def level(self) -> tuple[int, int]:
        """Fidelity and blocks; children of one level can be compared."""
        return self.fidelity, len(self.cell)

    @property
    def has_failed(self) -> bool:
        return self.status not in ("finished", "stopped", WAITING, BEGUN)

    @property
    def is_finished(self) -> bool:
        return self.status == "finished"


def children_of(rows: Sequence[LedgerRow]) -> list[Child]:
    """The children of a ledger's rows, in their order."""
    first: dict[str, int] = {}
    children = []
    for index, row in enumerate(rows):
        asked = row.candidate
        origin = asked.parent if asked.parent is not None else asked.cell
        children.append(_child(index, row, first.get(origin.key)))
        first.setdefault(asked.cell.key, index)
    return children


def _child(index: int, row: LedgerRow, parent: int | None) -> Child:
    outcome = row.outcome
    measured = dict(outcome.measurements) if outcome is not None else {}
    return Child(
        index=index,
        cell=row.candidate.cell,
        fidelity=row.candidate.fidelity,
        parent=parent,
        predicted=row.candidate.predicted,
        status=outcome.status if outcome is not None else WAITING if row.worker is None else BEGUN,
        accuracy=outcome.accuracy if outcome is not None else None,
        n_examples=outcome.n_examples if outcome is not None else 0,
        seconds=outcome.seconds if outcome is not None else 0.0,
        n_parameters=_whole(measured.get("n_parameters")),
        multiply_adds=_whole(measured.get("multiply_adds")),
        is_interpolated=measured.get("measured") == 0,
        message=outcome.message if outcome is not None else "",
    )


def _whole(value: float | None) -> int | None:
    return round(value) if value is not None else None
