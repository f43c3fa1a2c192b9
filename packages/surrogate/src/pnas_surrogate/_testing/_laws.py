from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_surrogate._spec import SequenceSpec
from pnas_surrogate._testing._space import SPACES, Space


class Laws:
    """What the tests of a predictor need to know of it."""

    spaces: tuple[Space, ...] = SPACES
    n_fewest: int = 5
    least_correlation: float = 0.8
    tolerance: float = 1e-4
    affine_tolerance: float = 0.05

    def make(self, spec: SequenceSpec) -> Any:
        """An unfitted predictor for such sequences."""
        raise NotImplementedError(f"{type(self).__name__} must say how to make its predictor: give it make(self, spec)")

    def grid(self) -> dict[str, list[Any]]:
        """Parameters, and their values to search through; none by default."""
        return {}

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Has pytest run every test that takes a space in each of them."""
        if "space" in metafunc.fixturenames:
            metafunc.parametrize("space", self.spaces, ids=[space.name for space in self.spaces])

    def fitted(self, space: Space, predictor: Any = None) -> Any:
        X = space.draw(40, seed=0)
        return (self.make(space.spec) if predictor is None else predictor).fit(X, space.score(X))

    def check_equal(self, space: Space, values: NDArray[Any], expected: NDArray[Any]) -> None:
        y = space.score(space.draw(40, seed=0))
        np.testing.assert_allclose(values, expected, rtol=0, atol=self.tolerance * np.ptp(y))
