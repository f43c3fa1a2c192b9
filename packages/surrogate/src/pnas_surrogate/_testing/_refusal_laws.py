from functools import partial

import numpy as np
from sklearn.exceptions import NotFittedError

from pnas_surrogate._testing._checks import check_names, refusal
from pnas_surrogate._testing._laws import Laws
from pnas_surrogate._testing._space import Space


class RefusalLaws(Laws):
    """What it refuses, in a sentence that names position and value."""

    def test_predicting_before_fitting_is_refused(self, space: Space) -> None:
        refusal(lambda: self.make(space.spec).predict(space.draw(1, seed=0)), NotFittedError)

    def test_a_token_outside_its_vocabulary_is_refused_by_position_and_value(self, space: Space) -> None:
        X = space.draw(20, seed=0)
        y, fitted = space.score(X), self.fitted(space)
        position = len(X[13]) - 1
        for token in (space.spec.vocabulary[space.spec.kinds[-1]], -2):
            X[13][position] = token
            for call in (lambda: self.make(space.spec).fit(X, y), lambda: fitted.predict(X)):
                check_names(refusal(call), 13, position, token)

    def test_a_sequence_that_ends_inside_a_group_is_refused_by_position_and_length(self, space: Space) -> None:
        X = space.draw(20, seed=0)
        y, fitted = space.score(X), self.fitted(space)
        X[13] = X[13][:-1] if len(space.spec.kinds) > 1 else []
        for call in (lambda: self.make(space.spec).fit(X, y), lambda: fitted.predict(X)):
            check_names(refusal(call), 13, len(X[13]))

    def test_a_score_that_is_not_finite_is_refused_by_position_and_value(self, space: Space) -> None:
        X = space.draw(20, seed=0)
        for score in (np.nan, np.inf, -np.inf):
            y = space.score(X)
            y[13] = score
            message = refusal(partial(self.make(space.spec).fit, X, y))
            check_names(message, 13, score)

    def test_as_many_scores_as_sequences_are_needed(self, space: Space) -> None:
        X = space.draw(20, seed=0)
        check_names(refusal(lambda: self.make(space.spec).fit(X, space.score(X)[:17])), 20, 17)
