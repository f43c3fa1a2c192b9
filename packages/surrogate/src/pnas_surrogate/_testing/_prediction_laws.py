import numpy as np

from pnas_surrogate._testing._checks import check_numbers, forms
from pnas_surrogate._testing._laws import Laws
from pnas_surrogate._testing._space import Space


class PredictionLaws(Laws):
    """What a prediction is."""

    def test_a_prediction_is_one_finite_number_for_each_sequence(self, space: Space) -> None:
        mean = self.fitted(space).predict(space.draw(7, seed=1))
        check_numbers(mean, 7)

    def test_a_deviation_is_finite_and_not_negative_and_comes_with_the_same_prediction(self, space: Space) -> None:
        predictor, X = self.fitted(space), space.draw(7, seed=1)
        mean, std = predictor.predict(X, return_std=True)
        check_numbers(std, 7)
        assert (std >= 0).all(), f"a standard deviation is negative: {std}"
        self.check_equal(space, mean, predictor.predict(X))

    def test_every_form_of_the_same_sequences_predicts_the_same(self, space: Space) -> None:
        predictor, X = self.fitted(space), space.draw(7, seed=1)
        expected = predictor.predict(X)
        for form in forms(X):
            self.check_equal(space, predictor.predict(form), expected)

    def test_every_form_of_the_same_sequences_fits_the_same(self, space: Space) -> None:
        X = space.draw(20, seed=0)
        expected = self.make(space.spec).fit(X, space.score(X)).predict(X)
        for form in forms(X):
            self.check_equal(space, self.make(space.spec).fit(form, space.score(X)).predict(X), expected)

    def test_a_sequence_predicts_alone_what_it_does_among_others(self, space: Space) -> None:
        predictor, X = self.fitted(space), space.draw(7, seed=1)
        together = predictor.predict(X, return_std=True)
        alone = [predictor.predict([sequence], return_std=True) for sequence in X]
        for index in range(2):
            self.check_equal(space, np.concatenate([each[index] for each in alone]), together[index])

    def test_reordered_sequences_reorder_the_predictions(self, space: Space) -> None:
        predictor, X = self.fitted(space), space.draw(9, seed=1)
        order = np.random.default_rng(0).permutation(9)
        self.check_equal(space, predictor.predict([X[index] for index in order]), predictor.predict(X)[order])
