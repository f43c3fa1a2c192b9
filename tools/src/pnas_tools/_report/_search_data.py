"""What the report knows of a search, read once from its folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from pnas_searchspace import Cell
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import TRAIN, BenchmarkName
from pnas_tools._report._child import Child, children_of
from pnas_tools._run_folder import RunFolder
from pnas_tools._search_line import line_of_run


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchData:
    """A search, finished or not.

    Attributes:
        folder: of the run, as the user named it.
        children: all that were asked for, in this order; at least one.
        best: the child that the search found, or so far the most accurate; None while there is none.
        is_finished: whether the search is.
        config: what the outcome depends on.
        provenance: versions, platform and git revision that the search began with.
        command: that searches so; None where it cannot be told here.
    """

    folder: str
    children: Sequence[Child]
    best: Child | None
    is_finished: bool
    config: dict[str, Any]
    provenance: dict[str, Any]
    command: str | None

    @classmethod
    def read(cls, run: RunFolder) -> Self:
        """The search in a folder, as it is now.

        Raises:
            BadInput: there is none, or it has asked for nothing yet.
            LedgerError: the ledger cannot be read.
        """
        ledger = run.open_for_reading()
        if ledger is None:
            raise _nothing_yet(run)
        with ledger:
            result = run.read_result()
            rows, best_row = ledger.rows(), ledger.best_row()
            config, provenance, command = ledger.config(), ledger.provenance(), line_of_run(run, ledger)
        if not rows:
            raise _nothing_yet(run)
        best_cell = best_row.candidate.cell if best_row is not None else None
        if result is not None:
            best_cell = Cell(result["best_cell"])
        children = children_of(rows)
        return cls(
            folder=str(run.path),
            children=children,
            best=_last_of(best_cell, children),
            is_finished=result is not None,
            config=config,
            provenance=provenance,
            command=command,
        )

    @property
    def strategy(self) -> str:
        return str(self.config.get("strategy", "progressive"))

    @property
    def benchmark(self) -> str | None:
        """The table that accuracies were looked up in; None where children were trained."""
        name = BenchmarkName.of(self.config.get("evaluator", TRAIN))
        return name.name if name is not None else None

    @cached_property
    def levels(self) -> dict[tuple[int, int], list[Child]]:
        """Children that can be compared, by fidelity and blocks, ascending."""
        levels: dict[tuple[int, int], list[Child]] = {}
        for child in sorted(self.children, key=lambda child: child.level):
            levels.setdefault(child.level, []).append(child)
        return levels

    @cached_property
    def measured(self) -> list[Child]:
        """Children that have finished, trained as long as usual."""
        return [child for child in self.children if child.is_finished and child.fidelity == 1]

    @property
    def grows(self) -> bool:
        """Whether cells get larger in the course of the search."""
        return len({len(child.cell) for child in self.children}) > 1 or self.strategy == "progressive"


def ranked(children: Sequence[Child]) -> list[Child]:
    """Those with an accuracy, the most accurate first, and those that finished before those that were stopped."""
    known = [child for child in children if child.accuracy is not None]
    return sorted(known, key=lambda child: (not child.is_finished, -(child.accuracy or 0.0), child.index))


def _last_of(cell: Cell | None, children: Sequence[Child]) -> Child | None:
    """The child of this cell that was trained longest."""
    return next((child for child in reversed(children) if child.cell == cell and child.accuracy is not None), None)


def _nothing_yet(run: RunFolder) -> BadInput:
    return BadInput(
        f"the search in {run.path} has asked for no child yet, and a report needs one: wait, or go on with "
        "the command that pnas-tools status prints"
    )
