import copy

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

from pnas_surrogate._testing._checks import check_numbers, padded, parameters, pickled, refusal
from pnas_surrogate._testing._laws import Laws
from pnas_surrogate._testing._space import Space

_SCORING = {"scoring": "neg_mean_absolute_error", "error_score": "raise"}


class EstimatorLaws(Laws):
    """Scikit-learn's contract."""

    def test_a_clone_is_unfitted_and_has_the_same_parameters(self) -> None:
        space = self.spaces[0]
        predictor = self.fitted(space)
        copied = clone(predictor)
        assert parameters(copied) == parameters(predictor)
        refusal(lambda: copied.predict(space.draw(1, seed=0)), NotFittedError)

    def test_set_params_takes_what_get_params_gives(self) -> None:
        spec, chosen = self.spaces[0].spec, {name: values[-1] for name, values in self.grid().items()}
        predictor = self.make(spec)
        assert predictor.set_params(**chosen) is predictor, "set_params must return its predictor"
        assert {name: predictor.get_params()[name] for name in chosen} == chosen
        assert parameters(self.make(spec).set_params(**predictor.get_params(deep=False))) == parameters(predictor)

    def test_its_representation_names_its_class(self) -> None:
        predictor = self.make(self.spaces[0].spec)
        assert type(predictor).__name__ in repr(predictor), repr(predictor)

    def test_copies_and_pickles_predict_the_same(self) -> None:
        space = self.spaces[0]
        predictor, X = self.fitted(space), space.draw(7, seed=1)
        expected = predictor.predict(X, return_std=True)
        for copied in (copy.deepcopy, pickled):
            np.testing.assert_array_equal(copied(predictor).predict(X, return_std=True), expected)

    def test_it_can_be_cross_validated(self, space: Space) -> None:
        X = space.draw(40, seed=0)
        for form in (X, padded(X)):
            errors = cross_val_score(self.make(space.spec), form, space.score(X), cv=2, **_SCORING)
            check_numbers(errors, 2)

    def test_its_parameters_can_be_searched(self) -> None:
        space = self.spaces[0]
        X = space.draw(40, seed=0)
        search = GridSearchCV(self.make(space.spec), self.grid(), cv=2, **_SCORING)
        check_numbers(search.fit(X, space.score(X)).predict(space.draw(7, seed=1)), 7)
