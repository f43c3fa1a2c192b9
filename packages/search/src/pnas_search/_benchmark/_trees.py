"""Sums of small decision trees, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Trees:
    """Several outputs, each a constant and a sum of complete binary trees of one depth D.

    Node n of a tree has the children `2 * n + 1`, where a sample's feature is at most the threshold, and `2 * n + 2`.

    Attributes:
        features: which one a node looks at, uint8 `(n_outputs, n_trees, 2 ** D - 1)`.
        thresholds: float32 of the same shape; infinite where the two branches are one.
        values: of the leaves, float32 `(n_outputs, n_trees, 2 ** D)`.
        constants: float32 `(n_outputs,)`.
    """

    features: NDArray[np.uint8]
    thresholds: NDArray[np.float32]
    values: NDArray[np.float32]
    constants: NDArray[np.float32]

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """The outputs for samples `(N, n_features)`, `(N, n_outputs)`."""
        outputs = [self._output(index, X) for index in range(len(self.constants))]
        return np.stack(outputs, axis=1) if outputs else np.zeros((len(X), 0))

    def _output(self, index: int, X: NDArray[np.float32]) -> NDArray[np.float64]:
        features, thresholds, values = self.features[index], self.thresholds[index], self.values[index]
        trees, samples = np.arange(len(features))[:, None], np.arange(len(X))
        nodes = np.zeros((len(features), len(X)), dtype=np.int64)
        for _ in range(int(np.log2(values.shape[1]))):
            goes_right = X[samples, features[trees, nodes]] > thresholds[trees, nodes]
            nodes = 2 * nodes + 1 + goes_right
        leaves = values[trees, nodes - features.shape[1]].astype(np.float64)
        # One after the other: NumPy's sum has another order, and other bits, for another number of samples.
        total = np.full(len(X), float(self.constants[index]))
        for leaf in leaves:
            total += leaf
        return total
