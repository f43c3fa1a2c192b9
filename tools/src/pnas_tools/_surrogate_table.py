import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pnas_search import BENCHMARKS, Benchmark, SearchError, load_benchmark
from pnas_surrogate import SequenceSpec, SurrogateError
from pnas_tools._errors import BadInput
from pnas_tools._surrogate_csv import ScoredLine, read_lines

Tokens = tuple[int, ...]

_LARGEST_VOCABULARY = 99_999  # every token has weights of its own; what is larger is a quantity, and no token


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredTable:
    """Sequences with their scores.

    Attributes:
        name: the file, or the benchmark.
        spec: what the positions mean.
        sequences: all different.
        scores: `(N,)`.
        repeats: every measurement of each, `(N, M)`, the first ones first; NaN where there are fewer than M.
    """

    name: str
    spec: SequenceSpec
    sequences: Sequence[Tokens]
    scores: NDArray[np.float64]
    repeats: NDArray[np.float64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of groups of every sequence, `(N,)`."""
        return np.array([len(sequence) // len(self.spec.kinds) for sequence in self.sequences])


def read_table(name: str, kinds: tuple[str, ...] | None, vocabulary: Mapping[str, int] | None) -> ScoredTable:
    """The table in a CSV file, or a benchmark's.

    Args:
        name: the path of a CSV file, or what `load_benchmark` takes.
        kinds: of a CSV file's positions; None where all are of one.
        vocabulary: how many tokens there are; of kinds that it lacks, as many as the table has.

    Raises:
        BadInput: the file is not as it must be.
    """
    if name not in BENCHMARKS and not name.endswith(".npz"):
        close = difflib.get_close_matches(name, BENCHMARKS, n=1)
        if close and not Path(name).exists():
            raise BadInput(f"there is no file {name}, and no benchmark of that name: did you mean {close[0]!r}?")
        return _from_lines(name, read_lines(Path(name)), kinds or ("token",), vocabulary or {})
    if kinds is not None or vocabulary is not None:
        raise BadInput(f"{name} says itself what its tokens mean: leave out --kinds and --vocabulary")
    try:
        return _from_benchmark(load_benchmark(name))
    except SearchError as error:
        raise BadInput(str(error)) from error


def _from_benchmark(benchmark: Benchmark) -> ScoredTable:
    """Cells by their mean accuracies over seeds."""
    space = benchmark.interpolator.space
    measured: dict[Tokens, list[float]] = {}
    for cell in benchmark.cells:
        accuracies = [row.accuracy for row in benchmark.trainings(cell.cell) if row.accuracy is not None]
        if accuracies:
            measured[tuple(space.encode([cell.cell])[0].tolist())] = accuracies
    return ScoredTable(
        name=benchmark.name,
        spec=SequenceSpec(kinds=("input", "operation") * 2, vocabulary=space.vocabulary(benchmark.n_blocks)),
        sequences=list(measured),
        scores=np.array([np.mean(accuracies) for accuracies in measured.values()]),
        repeats=_filled(list(measured.values())),
    )


def _from_lines(
    name: str, lines: Sequence[ScoredLine], kinds: tuple[str, ...], vocabulary: Mapping[str, int]
) -> ScoredTable:
    """A sequence on several lines has been measured several times, and its score is the mean."""
    spec = _spec(name, lines, kinds, vocabulary)
    scores: dict[Tokens, list[float]] = {}
    measured: dict[Tokens, list[float]] = {}
    for line in lines:
        scores.setdefault(line.sequence, []).append(line.scores[0])
        measured.setdefault(line.sequence, []).extend(line.scores)
    return ScoredTable(
        name=name,
        spec=spec,
        sequences=list(scores),
        scores=np.array([np.mean(of_one) for of_one in scores.values()]),
        repeats=_filled(list(measured.values())),
    )


def _spec(
    name: str, lines: Sequence[ScoredLine], kinds: tuple[str, ...], vocabulary: Mapping[str, int]
) -> SequenceSpec:
    found = dict.fromkeys(kinds, 1)
    for line in lines:
        if len(line.sequence) % len(kinds):
            raise BadInput(
                f"line {line.number} of {name}: expected a multiple of {len(kinds)} tokens ({', '.join(kinds)}), "
                f"not {len(line.sequence)}"
            )
        for position, token in enumerate(line.sequence):
            kind = kinds[position % len(kinds)]
            limit = vocabulary.get(kind, _LARGEST_VOCABULARY)
            if token >= limit:
                raise BadInput(
                    f"line {line.number} of {name}: the token {token} at position {position} is of kind {kind!r} "
                    f"and must be less than {limit}"
                )
            found[kind] = max(found[kind], token + 1)
    try:
        return SequenceSpec(kinds=kinds, vocabulary={**found, **vocabulary})
    except SurrogateError as error:
        raise BadInput(str(error)) from error


def _filled(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    filled = np.full((len(rows), max(map(len, rows))), np.nan)
    for index, row in enumerate(rows):
        filled[index, : len(row)] = row
    return filled
