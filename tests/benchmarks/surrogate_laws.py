"""Spaces of token sequences whose true scores are known functions, to tune the surrogate on.

A predictor that is tuned on a table of measured scores has seen what it is then measured on; these are drawn at random,
as many as are wanted, and none is a table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import surrogate_laws_cells as cells
from numpy.random import Generator
from numpy.typing import NDArray
from surrogate_laws_cells import Score, Tokens

from pnas_surrogate import SequenceSpec

PIPELINE = SequenceSpec(
    kinds=("imputer", "scaler", "model", "depth", "rate"),
    vocabulary={"imputer": 5, "scaler": 8, "model": 10, "depth": 3, "rate": 4},
)
PASSES = SequenceSpec(kinds=("pass",), vocabulary={"pass": 16})
STAGES = SequenceSpec(kinds=("kernel", "width", "depth"), vocabulary={"kernel": 3, "width": 3, "depth": 3})


@dataclass(frozen=True, eq=False)
class Trial:
    """Sequences with their scores `(N,)` to learn from, and others with theirs `(M,)` to rank."""

    spec: SequenceSpec
    samples: list[Tokens]
    scores: NDArray[np.float64]
    others: list[Tokens]
    truths: NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """A space, and what its sequences score.

    Attributes:
        name: what tables call it.
        spec: what the positions mean.
        draw: so many sequences of a size.
        score: the true one of a sequence.
        train_sizes: of the sequences that are learned from, the same number of each.
        ranked_size: of those that are ranked.
        noise: of the scores that are learned from, in standard deviations of their true ones.
    """

    name: str
    spec: SequenceSpec
    draw: Callable[[Generator, int, int], list[Tokens]]
    score: Score
    train_sizes: tuple[int, ...]
    ranked_size: int
    noise: float = 0.3

    def trial(self, n_samples: int, seed: int, n_ranked: int = 500) -> Trial:
        """Noisy scores to learn from, and true ones to rank by."""
        rng = np.random.default_rng([seed, 77])
        n_of_size = -(-n_samples // len(self.train_sizes))
        drawn = [sequence for size in self.train_sizes for sequence in self.draw(rng, n_of_size, size)]
        samples = [drawn[index] for index in rng.permutation(len(drawn))[:n_samples]]
        scores = self._scores(samples)
        others = self.draw(rng, n_ranked, self.ranked_size)
        noise = rng.normal(size=n_samples) * self.noise * scores.std()
        return Trial(self.spec, samples, scores + noise, others, self._scores(others))

    def _scores(self, sequences: list[Tokens]) -> NDArray[np.float64]:
        return np.array([self.score(sequence) for sequence in sequences])


def laws(seed: int) -> list[Law]:
    """All of them, their effects drawn with a seed."""

    def rng(number: int) -> Generator:
        return np.random.default_rng([seed, number])

    blocks, graph = cells.draw_blocks, cells.flow
    return [
        # As a progressive search trains: on all sizes so far, or on the last one alone.
        Law("cells, additive, 1-2 to 3", cells.BLOCKS, blocks, cells.additive(rng(0)), (1, 2), 3),
        Law("cells, graph, 1-2 to 3", cells.BLOCKS, blocks, graph(rng(1)), (1, 2), 3),
        Law("cells, graph, 3-4 to 5", cells.BLOCKS, blocks, graph(rng(2)), (3, 4), 5),
        Law("cells, graph, 4 to 5", cells.BLOCKS, blocks, graph(rng(12)), (4,), 5),
        Law("cells, parameters, 1-3 to 4", cells.BLOCKS, blocks, cells.parameters(rng(3)), (1, 2, 3), 4),
        # As a search of one size trains.
        Law("cells, graph, 5", cells.BLOCKS, blocks, graph(rng(4)), (5,), 5),
        # One space, said in two ways.
        Law("edge by edge", cells.EDGE_BY_EDGE, cells.draw_edges, cells.edges(rng(5)), (6,), 6, 0.1),
        Law("six edges", cells.SIX_EDGES, cells.draw_edges, cells.edges(rng(5)), (6,), 6, 0.1),
        Law("pipeline", PIPELINE, draw_pipelines, pipeline(rng(6)), (1,), 1),
        Law("passes, 8", PASSES, draw_passes, passes(rng(7)), (8,), 8),
        Law("passes, 8 to 12", PASSES, draw_passes, passes(rng(8)), (8,), 12),
        Law("stages", STAGES, draw_stages, stages(rng(9)), (5,), 5),
        Law("matrix", cells.MATRIX, cells.draw_matrices, cells.matrix(rng(10)), (1,), 1, 0.1),
        Law("nodes", cells.NODES, cells.draw_nodes, cells.nodes(rng(11)), (8,), 8),
    ]


def draw_pipelines(rng: Generator, n_sequences: int, n_groups: int) -> list[Tokens]:
    """A choice for every step."""
    sizes = list(PIPELINE.vocabulary.values()) * n_groups
    return [tuple(int(rng.integers(size)) for size in sizes) for _ in range(n_sequences)]


def pipeline(rng: Generator) -> Score:
    """A machine-learning pipeline: five unlike choices, pairs of which interact or do not go together."""
    sizes = list(PIPELINE.vocabulary.values())
    effects = [
        rng.normal(size=size) * weight for size, weight in zip(sizes, rng.uniform(0.3, 1.5, size=5), strict=True)
    ]
    interactions = {
        (later, earlier): rng.normal(size=(sizes[later], sizes[earlier])) * rng.choice([0, 0.5])
        for later in range(5)
        for earlier in range(later)
    }
    bad_scaler, bad_model = rng.integers(8), rng.integers(10) % 3

    def score(sequence: Tokens) -> float:
        total = sum(of_step[token] for of_step, token in zip(effects, sequence, strict=True))
        total += sum(of_pair[sequence[i], sequence[j]] for (i, j), of_pair in interactions.items())
        fails = sequence[1] == bad_scaler and sequence[2] % 3 == bad_model
        return float(np.arctan((total - 4 * fails) / 2))

    return score


def draw_passes(rng: Generator, n_sequences: int, longest: int) -> list[Tokens]:
    """As long as that, or up to three shorter."""
    return [
        tuple(rng.integers(0, 16, size=int(rng.integers(max(2, longest - 3), longest + 1))).tolist())
        for _ in range(n_sequences)
    ]


def passes(rng: Generator) -> Score:
    """A compiler's passes: each gains less when it comes again, and some gain more after certain others."""
    gains = np.abs(rng.normal(size=16)) * (rng.random(16) < 0.6)
    gains -= np.abs(rng.normal(size=16)) * 0.3 * (gains == 0)
    pairs = zip(rng.integers(16, size=14).tolist(), rng.integers(16, size=14).tolist(), strict=True)
    enabled = dict(zip(pairs, rng.uniform(0.5, 1.5, size=14).tolist(), strict=True))

    def score(sequence: Tokens) -> float:
        total = 0.0
        for index, token in enumerate(sequence):
            earlier = sequence[:index]
            total += gains[token] * 0.4 ** earlier.count(token)
            if token not in earlier:
                total += sum(gain for (first, then), gain in enabled.items() if then == token and first in earlier)
        return float(total)

    return score


def draw_stages(rng: Generator, n_sequences: int, n_stages: int) -> list[Tokens]:
    """A choice out of three for every kernel, width and depth."""
    return [tuple(rng.integers(0, 3, size=3 * n_stages).tolist()) for _ in range(n_sequences)]


def stages(rng: Generator) -> Score:
    """Once-for-all networks: five stages whose kernels, widths and depths have an order, with less and less to gain."""
    weights = rng.uniform(0.2, 1, size=5)

    def score(sequence: Tokens) -> float:
        kernels, widths, depths = np.array(sequence).reshape(-1, 3).T
        capacity = weights @ (np.log1p(widths) + 0.8 * np.log1p(depths) + 0.3 * np.sqrt(kernels))
        n_narrower = np.sum(widths[:-1] > widths[1:])
        return float(1 - np.exp(-0.4 * capacity) - 0.02 * n_narrower)

    return score
