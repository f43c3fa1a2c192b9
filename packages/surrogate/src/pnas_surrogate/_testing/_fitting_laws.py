import copy

import numpy as np

from pnas_surrogate._testing._checks import draw_from_global_generators, forms, global_states
from pnas_surrogate._testing._laws import Laws
from pnas_surrogate._testing._space import Space


class FittingLaws(Laws):
    """What a fit depends on, and what it leaves alone."""

    def test_a_fit_is_a_function_of_its_data(self, space: Space) -> None:
        X = space.draw(7, seed=1)
        first = self.fitted(space).predict(X)
        draw_from_global_generators()
        np.testing.assert_array_equal(self.fitted(space).predict(X), first)

    def test_fitting_again_forgets_what_was_before(self, space: Space) -> None:
        X, other = space.draw(7, seed=1), space.draw(30, seed=2)
        expected = self.fitted(space).predict(X)
        predictor = self.make(space.spec).fit(other, -space.score(other))
        np.testing.assert_array_equal(self.fitted(space, predictor).predict(X), expected)

    def test_predicting_changes_nothing(self, space: Space) -> None:
        predictor, X = self.fitted(space), space.draw(7, seed=1)
        first = predictor.predict(X)
        predictor.predict(space.draw(5, seed=2), return_std=True)
        np.testing.assert_array_equal(predictor.predict(X), first)

    def test_sequences_and_scores_are_left_as_they_are(self, space: Space) -> None:
        for X in forms(space.draw(20, seed=0)):
            y = space.score(space.draw(20, seed=0))
            before = copy.deepcopy((X, y))
            self.make(space.spec).fit(X, y).predict(X, return_std=True)
            np.testing.assert_array_equal(y, before[1], err_msg="the scores have been changed")
            for sequence, given in zip(X, before[0], strict=True):
                np.testing.assert_array_equal(sequence, given, err_msg="a sequence has been changed")

    def test_the_global_random_generators_are_left_as_they_are(self) -> None:
        space, before = self.spaces[0], global_states()
        self.fitted(space).predict(space.draw(7, seed=1), return_std=True)
        assert global_states() == before, "a global random generator has been used"
