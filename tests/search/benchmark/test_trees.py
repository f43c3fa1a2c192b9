import numpy as np
import pytest

from pnas_search import Trees


def by_hand(trees: Trees, output: int, x: np.ndarray) -> float:
    total = float(trees.constants[output])
    for features, thresholds, values in zip(
        trees.features[output], trees.thresholds[output], trees.values[output], strict=True
    ):
        node = 0
        while node < len(features):
            node = 2 * node + (1 if x[features[node]] <= thresholds[node] else 2)
        total += float(values[node - len(features)])
    return total


@pytest.fixture(scope="module")
def trees() -> Trees:
    rng = np.random.default_rng(0)
    return Trees(
        features=rng.integers(0, 6, (2, 9, 7)).astype(np.uint8),
        thresholds=rng.integers(0, 3, (2, 9, 7)).astype(np.float32),
        values=rng.normal(size=(2, 9, 8)).astype(np.float32),
        constants=rng.normal(size=2).astype(np.float32),
    )


def test_samples_go_down_every_tree(trees):
    X = np.random.default_rng(1).integers(0, 4, (20, 6)).astype(np.float32)
    expected = [[by_hand(trees, output, x) for output in range(2)] for x in X]
    np.testing.assert_array_equal(trees.predict(X), expected)


def test_a_samples_outputs_do_not_depend_on_the_others(trees):
    X = np.random.default_rng(2).integers(0, 4, (33, 6)).astype(np.float32)
    together = trees.predict(X)
    for i in range(len(X)):
        np.testing.assert_array_equal(trees.predict(X[i : i + 1])[0], together[i])


def test_no_sample_gives_no_output(trees):
    assert trees.predict(np.empty((0, 6), dtype=np.float32)).shape == (0, 2)
