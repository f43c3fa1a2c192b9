import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pnas_search import Evaluator, Ledger, LedgerRow, Report, Request, SearchError, Started
from pnas_searchspace import Cell
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._files import write_atomically

WEIGHTS = "weights"
"""Of a child's network, as safetensors; attached to its outcome, and to the requests of its children."""
CURVES = "curves"
"""The accuracies after every epoch of the children that finished in earlier rounds."""


def check_early_stopping(config: SearchConfig) -> None:
    """Raise `BadInput` where it could never stop a child."""
    if config.early_stopping is not None and config.n_epochs < 3:
        raise BadInput(
            f"--early-stopping looks at two epochs or more and leaves out the last, and --epochs is {config.n_epochs}: "
            "pass 3 epochs or more, or leave it out"
        )


class Heirs(Evaluator):
    """An evaluator whose children get something from those before them.

    With `weights`, what a child's network has learned is written to that folder before its outcome goes on, and
    travels with the requests of its children. With `curves`, every request carries the learning curves of all earlier
    rounds, and not of its own, so that it does not matter who finishes first.
    """

    def __init__(self, evaluator: Evaluator, ledger: Ledger, *, weights: Path | None, curves: bool) -> None:
        self._evaluator = evaluator
        self._ledger = ledger
        self._weights = weights
        self._curves: list[tuple[float, ...]] | None = [] if curves else None
        self._n_read = 0

    def evaluate(self, requests: Sequence[Request]) -> Iterator[Report]:
        """As of the evaluator; the attachments stay here.

        Raises:
            SearchError: weights that a child inherits cannot be read.
        """
        current = self._ledger.rows(round=self._ledger.n_rounds() - 1)
        if self._weights is not None:
            self._forget(current)
        curves = self._earlier_curves(current)
        heirs = [replace(request, attachments=self._inherited(request, curves)) for request in requests]
        for report in self._evaluator.evaluate(heirs):
            if isinstance(report, Started):
                yield report
                continue
            request, outcome = report
            if self._weights is not None and WEIGHTS in outcome.attachments:
                self._weights.mkdir(exist_ok=True)
                write_atomically(self._file(request.cell), outcome.attachments[WEIGHTS])
            yield request, replace(outcome, attachments={})

    def _earlier_curves(self, current: Sequence[LedgerRow]) -> tuple[tuple[float, ...], ...] | None:
        """Of the children that finished in rounds before this one; None where nobody wants them."""
        if self._curves is None:
            return None
        for index in range(self._n_read, max((row.round for row in current), default=0)):
            self._curves += [_curve(row) for row in self._ledger.rows(round=index) if _has_finished(row)]
            self._n_read = index + 1
        return tuple(self._curves)

    def _inherited(self, request: Request, curves: tuple[tuple[float, ...], ...] | None) -> dict[str, Any]:
        attachments: dict[str, Any] = {} if curves is None else {CURVES: curves}
        if self._weights is not None and request.parent is not None:
            attachments[WEIGHTS] = _Content(self._file(request.parent))
        return attachments

    def _forget(self, current: Sequence[LedgerRow]) -> None:
        """Remove the weights that no later child inherits."""
        assert self._weights is not None  # who calls this has looked
        needed = {self._file(cell) for row in current for cell in (row.request.cell, row.request.parent) if cell}
        for file in self._weights.glob("*"):
            if file not in needed:
                file.unlink(missing_ok=True)

    def _file(self, cell: Cell) -> Path:
        assert self._weights is not None
        digest = hashlib.blake2b(cell.key.encode(), digest_size=12).hexdigest()
        return self._weights / f"{digest}.safetensors"


@dataclass(frozen=True)
class _Content:
    """A file that travels to a worker as its bytes, and is read when it sets out: a round's weights may be many."""

    path: Path

    def __bytes__(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise SearchError(
                f"the weights that a child inherits cannot be read from {self.path} ({error.strerror}): restore the "
                f"folder from a copy, or search anew in another one"
            ) from error

    def __reduce__(self) -> tuple[object, ...]:
        return bytes, (bytes(self),)


def _has_finished(row: LedgerRow) -> bool:
    return row.outcome is not None and row.outcome.status == "finished"


def _curve(row: LedgerRow) -> tuple[float, ...]:
    assert row.outcome is not None
    return row.outcome.accuracies
