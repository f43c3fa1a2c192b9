"""Children, outcomes and predictions as the values of a ledger's tables, and back."""

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from pnas_search._evaluation import Outcome, Request
from pnas_search._strategies._base import Candidate, Predictions
from pnas_searchspace import Cell

ROWS = """
SELECT child.round, child.position, child.key, child.fidelity, child.seed, parent.key, child.predicted,
    child.predicted_std, (SELECT worker FROM attempt WHERE attempt.child = child.id ORDER BY id DESC LIMIT 1),
    status, accuracy, accuracies, n_examples, seconds, measurements, message
FROM child LEFT JOIN outcome ON outcome.child = child.id LEFT JOIN child AS parent ON parent.id = child.parent
"""
"""What `row_from` reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerRow:
    """A child that was asked for, and its outcome once there is one.

    Attributes:
        round: from 0.
        position: in the round, from 0.
        candidate: as the strategy asked for it.
        seed: of its training.
        worker: who began to train it last; None where no evaluator said so.
        outcome: None while it is not there.
    """

    round: int
    position: int
    candidate: Candidate
    seed: int
    worker: str | None = None
    outcome: Outcome | None = None

    @property
    def request(self) -> Request:
        """What an evaluator is asked for."""
        asked = self.candidate
        return Request(cell=asked.cell, seed=self.seed, parent=asked.parent, fidelity=asked.fidelity)


def row_from(values: Sequence[Any]) -> LedgerRow:
    """A row of `ROWS`."""
    index, position, key, fidelity, seed, parent, predicted, predicted_std, worker, status, *rest = values
    candidate = Candidate(
        cell=_cell(key),
        parent=_cell(parent) if parent is not None else None,
        predicted=predicted,
        predicted_std=predicted_std,
        fidelity=fidelity,
    )
    outcome = None
    if status is not None:
        accuracy, accuracies, n_examples, seconds, measurements, message = rest
        outcome = Outcome(
            status=status,
            accuracy=accuracy,
            accuracies=unpacked_curve(accuracies),
            n_examples=n_examples,
            seconds=seconds,
            measurements=json.loads(measurements),
            message=message,
        )
    return LedgerRow(round=index, position=position, candidate=candidate, seed=seed, worker=worker, outcome=outcome)


def times_from(values: Sequence[Any]) -> tuple[tuple[int, int], tuple[datetime | None, datetime]]:
    """A child's round and position, and when it was begun and ended."""
    index, position, started_at, finished_at = values
    started = datetime.fromisoformat(started_at) if started_at is not None else None
    return (index, position), (started, datetime.fromisoformat(finished_at))


def child_values(index: int, position: int, candidate: Candidate, seed: int, parent_id: int | None) -> tuple[Any, ...]:
    """The values of a child's row, but for its id."""
    return (
        candidate.cell.key,
        int(candidate.fidelity),
        len(candidate.cell),
        index,
        position,
        int(seed),
        parent_id,
        _number(candidate.predicted),
        _number(candidate.predicted_std),
    )


def outcome_values(outcome: Outcome) -> tuple[Any, ...]:
    """The values of an outcome's row, but for the child's id."""
    return (
        outcome.status,
        _number(outcome.accuracy),
        packed_curve(outcome.accuracies),
        int(outcome.n_examples),
        float(outcome.seconds),
        json.dumps({name: float(value) for name, value in outcome.measurements.items()}, sort_keys=True),
        outcome.message,
        now(),
    )


def prediction_values(predictions: Predictions) -> tuple[Any, ...]:
    """The values of a row of predictions, but for its round; arrays are compressed, and scores have 32 bits."""
    std = predictions.std
    return (
        json.dumps(predictions.operations),
        predictions.cells.shape[1],
        _packed(predictions.cells, "<i2"),
        _packed(predictions.mean, "<f4"),
        _packed(std, "<f4") if std is not None else None,
    )


def predictions_from(values: Sequence[Any]) -> Predictions:
    """Predictions of the values that `prediction_values` gives."""
    operations, n_blocks, cells, mean, std = values
    return Predictions(
        operations=tuple(json.loads(operations)),
        cells=_unpacked(cells, "<i2").astype(np.int64).reshape(-1, n_blocks, 4),
        mean=_unpacked(mean, "<f4").astype(np.float64),
        std=_unpacked(std, "<f4").astype(np.float64) if std is not None else None,
    )


def packed_curve(accuracies: Sequence[float]) -> bytes:
    """Numbers of 64 bits, which are read back ten times as fast as the digits of JSON are."""
    return struct.pack(f"<{len(accuracies)}d", *accuracies)


def unpacked_curve(data: bytes) -> tuple[float, ...]:
    """What `packed_curve` was given."""
    return struct.unpack(f"<{len(data) // 8}d", data)


def now() -> str:
    """The time in words that sort."""
    return datetime.now(UTC).isoformat()


@lru_cache(maxsize=1 << 14)
def _cell(key: str) -> Cell:
    return Cell.from_text(key)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None else None


def _packed(array: Any, kind: str) -> bytes:
    return zlib.compress(np.ascontiguousarray(array, dtype=kind).tobytes(), level=1)


def _unpacked(data: bytes, kind: str) -> Any:
    return np.frombuffer(zlib.decompress(data), dtype=kind)
