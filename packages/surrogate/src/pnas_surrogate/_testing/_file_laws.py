import unittest
from pathlib import Path
from typing import Any

import numpy as np

from pnas_surrogate._spec import SequenceSpec
from pnas_surrogate._testing._checks import parameters, refusal
from pnas_surrogate._testing._laws import Laws
from pnas_surrogate._testing._space import Space


class FileLaws(Laws):
    """What is in its file."""

    def test_a_loaded_predictor_predicts_the_same_and_has_the_same_parameters(
        self, space: Space, tmp_path: Path
    ) -> None:
        saved, path, X = self._saved(space, tmp_path), tmp_path / "predictor", space.draw(7, seed=1)
        loaded = type(saved).load(path, space.spec)
        np.testing.assert_array_equal(loaded.predict(X, return_std=True), saved.predict(X, return_std=True))
        assert parameters(loaded) == parameters(saved)

    def test_a_file_for_other_sequences_is_refused(self, space: Space, tmp_path: Path) -> None:
        saved, path = self._saved(space, tmp_path), tmp_path / "predictor"
        larger = {kind: size + 1 for kind, size in space.spec.vocabulary.items()}
        other = SequenceSpec(kinds=space.spec.kinds, vocabulary=larger)
        assert str(path) in refusal(lambda: type(saved).load(path, other))

    def _saved(self, space: Space, folder: Path) -> Any:
        predictor = self.fitted(space)
        if not hasattr(predictor, "save"):
            raise unittest.SkipTest(f"{type(predictor).__name__} has no method save")
        predictor.save(folder / "predictor")
        return predictor
