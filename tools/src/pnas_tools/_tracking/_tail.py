from dataclasses import dataclass
from datetime import datetime

from pnas_search import Ledger, LedgerRow, Outcome


@dataclass(frozen=True, kw_only=True)
class Child:
    """A child that has an outcome.

    Attributes:
        place: among all children of the search, in the order in which they were asked for, from 0.
        row: of the ledger.
        outcome: the row's.
        started_at: when its last training began, or when its outcome came if nobody trained it.
        finished_at: when its outcome came.
    """

    place: int
    row: LedgerRow
    outcome: Outcome
    started_at: datetime
    finished_at: datetime


class Tail:
    """The children of a ledger that grows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._round, self._n_before = 0, 0
        self._given: set[int] = set()

    def read(self) -> list[Child]:
        """Those that have an outcome and were not given before, in the order in which they were asked for."""
        rows = self._ledger.rows(from_round=self._round)
        times = self._ledger.times(from_round=self._round)
        children = []
        for place, row in enumerate(rows, start=self._n_before):
            if row.outcome is None or place in self._given:
                continue
            started_at, finished_at = times[row.round, row.position]
            children.append(
                Child(
                    place=place,
                    row=row,
                    outcome=row.outcome,
                    started_at=started_at or finished_at,
                    finished_at=finished_at,
                )
            )
        self._given.update(child.place for child in children)
        if rows:  # all rounds but the last are over, and need not be read again
            self._n_before += sum(row.round < rows[-1].round for row in rows)
            self._round = rows[-1].round
        return children
