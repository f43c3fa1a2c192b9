import numpy as np

from pnas_surrogate._testing._checks import check_numbers
from pnas_surrogate._testing._laws import Laws
from pnas_surrogate._testing._space import Space
from pnas_surrogate.metrics import spearman


class LearningLaws(Laws):
    """What it learns."""

    def test_it_ranks_by_an_additive_law(self, space: Space) -> None:
        X = space.draw(200, seed=0)
        predictor = self.make(space.spec).fit(X, space.score(X))
        for size in filter(None, (*space.sizes, space.next_size)):
            unseen = space.draw(200, seed=1, sizes=[size])
            correlation = spearman(space.score(unseen), predictor.predict(unseen))
            assert correlation >= self.least_correlation, f"{correlation} for {size} groups, fitted to {space.sizes}"

    def test_scaled_and_shifted_scores_scale_and_shift_the_predictions(self, space: Space) -> None:
        X, unseen = space.draw(40, seed=0), space.draw(40, seed=1)
        y = space.score(X)
        expected = self.make(space.spec).fit(X, y).predict(unseen)
        for factor, shift in ((1e-6, 0.0), (37.0, -5.0), (1e6, 1e7)):
            mean = (self.make(space.spec).fit(X, factor * y + shift).predict(unseen) - shift) / factor
            np.testing.assert_allclose(mean, expected, rtol=0, atol=self.affine_tolerance * np.ptp(y))
            # What is equal but for rounding has no order.
            order = [np.round(values / np.ptp(y), 9) for values in (expected, mean)]
            assert spearman(*order) > 0.99, f"the order changes with scores {factor} * y + {shift}"

    def test_a_constant_score_is_predicted(self, space: Space) -> None:
        X = space.draw(20, seed=0)
        for score in (0.0, -3.0, 1e6):
            mean, std = self.make(space.spec).fit(X, np.full(20, score)).predict(space.draw(7, seed=1), return_std=True)
            check_numbers(std, 7)
            np.testing.assert_allclose(mean, score, rtol=0.1, atol=0.1)

    def test_sequences_that_come_again_with_other_scores_can_be_fitted(self, space: Space) -> None:
        X = space.draw(10, seed=0)
        y = np.concatenate([space.score(X), space.score(X) + 0.5, space.score(X)])
        for values in self.make(space.spec).fit(X * 3, y).predict(X, return_std=True):
            check_numbers(values, 10)

    def test_few_samples_can_be_fitted(self, space: Space) -> None:
        X = space.draw(self.n_fewest, seed=0)
        for values in self.make(space.spec).fit(X, space.score(X)).predict(space.draw(7, seed=1), return_std=True):
            check_numbers(values, 7)

    def test_tokens_that_no_sample_had_get_sensible_scores(self, space: Space) -> None:
        X = space.draw(60, seed=0, n_left_out=1)
        y = space.score(X)
        new = [[space.spec.vocabulary[kind] - 1 for kind in space.spec.kinds] * space.sizes[0]]
        mean, std = self.make(space.spec).fit(X, y).predict(new + space.draw(20, seed=1), return_std=True)
        check_numbers(std, 21)
        lowest, highest = y.min() - np.ptp(y), y.max() + np.ptp(y)
        assert ((lowest <= mean) & (mean <= highest)).all(), f"{mean} are not all in [{lowest}, {highest}]"
