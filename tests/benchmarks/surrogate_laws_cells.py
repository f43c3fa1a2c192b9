"""Made-up accuracies of cells: what a network's accuracy is like as a function of its graph and its operations.

Each function of a generator draws the effects of one law, and gives the true score of any sequence under it.
"""

from collections.abc import Callable
from itertools import chain

import numpy as np
from numpy.random import Generator

from pnas_surrogate import SequenceSpec

Tokens = tuple[int, ...]
Score = Callable[[Tokens], float]

N_INPUTS, N_OPERATIONS = 6, 8
BLOCKS = SequenceSpec(kinds=("input", "operation") * 2, vocabulary={"input": N_INPUTS, "operation": N_OPERATIONS})
NODES = SequenceSpec(kinds=("input", "operation"), vocabulary={"input": 5, "operation": 7})
EDGE_BY_EDGE = SequenceSpec(kinds=("edge",), vocabulary={"edge": 5})
SIX_EDGES = SequenceSpec(kinds=("edge",) * 6, vocabulary={"edge": 5})
MATRIX = SequenceSpec(kinds=("operation",) * 5 + ("edge",) * 21, vocabulary={"operation": 3, "edge": 2})

_EDGES = [(source, target) for target in range(1, 4) for source in range(target)]
_MATRIX_EDGES = [(source, target) for target in range(1, 7) for source in range(target)]


def draw_blocks(rng: Generator, n_cells: int, n_blocks: int) -> list[Tokens]:
    """Cells of the paper's space, the halves of a block in order."""
    return [_cell(rng, n_blocks) for _ in range(n_cells)]


def _cell(rng: Generator, n_blocks: int) -> Tokens:
    halves = [half for block in range(n_blocks) for half in sorted(_half(rng, block) for _ in range(2))]
    return tuple(chain.from_iterable(halves))


def _half(rng: Generator, block: int) -> tuple[int, int]:
    return int(rng.integers(block + 2)), int(rng.integers(N_OPERATIONS))


def additive(rng: Generator) -> Score:
    """Effects that add up: every operation and every input has one, and a cell scores the mean over its blocks."""
    of_operations = rng.normal(size=N_OPERATIONS)
    of_inputs = rng.normal(size=N_INPUTS) * 0.4
    of_inputs[2:] = of_inputs[2:].mean()

    def score(cell: Tokens) -> float:
        inputs, operations = np.array(cell).reshape(-1, 2).T
        return float(2 * np.mean(of_operations[operations] + of_inputs[inputs]))

    return score


def flow(rng: Generator) -> Score:
    """A network that features flow through: blocks saturate, operations interact, and depth has an optimum."""
    capacity = np.abs(rng.normal(size=N_OPERATIONS))
    capacity[rng.integers(N_OPERATIONS)] = 0
    reach = rng.uniform(0, 2, size=N_OPERATIONS)
    interaction = rng.normal(size=(N_OPERATIONS, N_OPERATIONS)) * 0.3
    interaction = interaction + interaction.T
    skipped = rng.uniform(0.2, 0.8)
    best_depth = rng.uniform(2, 4)

    def score(cell: Tokens) -> float:
        quality, depth = [skipped, 1.0], [0.0, 0.0]
        for input_1, operation_1, input_2, operation_2 in np.reshape(cell, (-1, 4)).tolist():
            gain = sum(
                np.tanh((quality[source] + capacity[operation]) / 2)
                for source, operation in ((input_1, operation_1), (input_2, operation_2))
            )
            gain += 0.3 * interaction[operation_1, operation_2] - 0.3 * (input_1 == input_2)
            quality.append(gain / 1.5)
            depth.append(max(depth[input_1] + reach[operation_1], depth[input_2] + reach[operation_2]))
        loose = [quality[block] for block in range(2, len(quality)) if block not in cell[::2]]
        total = np.logaddexp(0, 2 * np.mean(quality[2:])) + 0.5 * max(loose) + 0.1 * len(loose) / (len(quality) - 2)
        return float(1 - np.exp(-total + 0.15 * abs(max(depth[2:]) - best_depth)))

    return score


def parameters(rng: Generator) -> Score:
    """A network that is the better the more parameters it has, in logarithms, and by what is applied to what."""
    n_parameters = np.abs(rng.normal(size=N_OPERATIONS)) * 3
    n_parameters[rng.choice(N_OPERATIONS, 3, replace=False)] = 0
    effects = rng.normal(size=(3, N_OPERATIONS)) * 0.3

    def score(cell: Tokens) -> float:
        inputs, operations = np.array(cell).reshape(-1, 2).T
        size = np.log1p(n_parameters[operations].sum())
        # Blocks are alike as inputs.
        effect = effects[np.minimum(inputs, 2), operations].sum() / np.sqrt(len(operations))
        return float(0.5 * size + effect - 0.1 * (operations == operations[0]).mean())

    return score


def draw_edges(rng: Generator, n_cells: int, n_edges: int) -> list[Tokens]:
    """An operation out of five on every edge."""
    return [tuple(rng.integers(0, 5, size=n_edges).tolist()) for _ in range(n_cells)]


def edges(rng: Generator) -> Score:
    """NAS-Bench-201: operations on the six edges between four nodes, one of which cuts the edge, and one skips."""
    strength = np.array([0, 0.5, 0.8, 1.0, 0.6])
    strength[1:] += rng.normal(size=4) * 0.15
    feature = np.array([0, 0, 0.7, 1.0, 0.25]) * rng.uniform(0.7, 1.3, size=5)

    def score(cell: Tokens) -> float:
        signal, features, depth = [1.0, 0.0, 0.0, 0.0], [0.0] * 4, [0.0, -9.0, -9.0, -9.0]
        for (source, target), operation in zip(_EDGES, cell, strict=True):
            if operation != 0 and signal[source] != 0:
                signal[target] += strength[operation] * signal[source]
                features[target] += (features[source] + feature[operation]) * 0.6
                depth[target] = max(depth[target], depth[source] + (operation in (2, 3)))
        if signal[3] == 0:
            return 0.1
        total = 0.8 * np.log1p(features[3]) + 0.25 * depth[3] + 0.2 * (cell[3] == 1) + 0.15 * np.log1p(signal[3])
        return float(0.1 + 0.85 * (1 - np.exp(-total)))

    return score


def draw_matrices(rng: Generator, n_cells: int, n_groups: int) -> list[Tokens]:
    """Operations of five nodes, and the upper half of an adjacency matrix that has two edges in five."""
    cells = []
    for _ in range(n_cells * n_groups):
        matrix = (rng.random(21) < 0.4).astype(int)
        cells.append((*rng.integers(0, 3, size=5).tolist(), *matrix.tolist()))
    return cells


def matrix(rng: Generator) -> Score:
    """NAS-Bench-101: an adjacency matrix, in which nodes without a path from the input count for nothing."""
    capacity = np.sort(rng.uniform(0, 1, size=3))

    def score(cell: Tokens) -> float:
        there = [edge for edge, bit in zip(_MATRIX_EDGES, cell[5:], strict=True) if bit]
        quality, depth = {0: 0.0}, {0: 0}
        for node in range(1, 7):
            sources = [source for source, target in there if target == node and source in quality]
            if sources:
                own = capacity[cell[node - 1]] if node < 6 else 0.0
                quality[node] = np.mean([quality[source] for source in sources]) + own + 0.1 * np.log(len(sources))
                depth[node] = max(depth[source] for source in sources) + 1
        if 6 not in quality:
            return 0.1
        return float(0.8 + 0.15 * np.tanh(quality[6] - 0.12 * abs(depth[6] - 3.5)) - 0.02 * (len(quality) < 4))

    return score


def draw_nodes(rng: Generator, n_cells: int, n_groups: int) -> list[Tokens]:
    """Cells of nodes that read two different earlier ones each."""
    return [tuple(chain.from_iterable(_nodes(rng, n_groups // 2))) for _ in range(n_cells)]


def _nodes(rng: Generator, n_nodes: int) -> list[tuple[int, int]]:
    return [
        (source, int(rng.integers(7)))
        for node in range(n_nodes)
        for source in sorted(rng.choice(node + 2, 2, replace=False).tolist())
    ]


def nodes(rng: Generator) -> Score:
    """DARTS: four nodes of two inputs, a group each, where depth helps and more than two skips hurt."""
    capacity = rng.normal(size=7)
    is_deep = np.abs(rng.normal(size=7)) > 0.6
    weights = rng.uniform(0.5, 1.2, size=4)

    def score(cell: Tokens) -> float:
        quality, depth = [0.5, 0.8], [0, 0]
        for weight, halves in zip(weights, np.reshape(cell, (-1, 2, 2)).tolist(), strict=True):
            quality.append(weight * sum(0.5 * np.tanh(quality[source] + capacity[of]) for source, of in halves))
            depth.append(max(depth[source] + int(is_deep[of]) for source, of in halves))
        n_skips = cell[1::2].count(3)
        return float(np.mean(quality[2:]) + 0.1 * np.log1p(max(depth)) - 0.05 * max(0, n_skips - 2) ** 1.5)

    return score
