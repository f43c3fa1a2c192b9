import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from pnas_surrogate import Ensemble, MLPPredictor, Predictor, SurrogateError
from pnas_surrogate._description import describe, make


class Several(BaseEstimator):
    """An estimator of others."""

    def __init__(self, predictors=(), options=None):
        self.predictors = predictors
        self.options = options


def through_json(value):
    return make(json.loads(json.dumps(describe(value))), BaseEstimator)


@pytest.mark.parametrize(
    "value", [None, True, 3, 0.1, 1e300, float("inf"), "text", "", [], (), [1, (2.5, "a", [None])], ((),)]
)
def test_plain_values_come_back_as_they_are(value):
    assert repr(through_json(value)) == repr(value)


@pytest.mark.parametrize("value", [np.int64(3), np.float32(0.5), np.bool_(True), np.str_("a")])
def test_numpys_scalars_come_back_as_pythons(value):
    assert type(through_json(value)) in (int, float, bool, str)
    assert through_json(value) == value


def test_specs_and_estimators_of_estimators_come_back_with_all_parameters(spec):
    estimator = Several((Ensemble(MLPPredictor(spec, learning_rate=0.1), n_members=np.int64(3)),), [spec, "a"])
    made = through_json(estimator)
    assert type(made) is Several
    assert repr(made.get_params()) == repr(Several((through_json(estimator.predictors[0]),), [spec, "a"]).get_params())
    (ensemble,) = made.predictors
    assert (ensemble.n_members, ensemble.predictor.learning_rate, ensemble.spec) == (3, 0.1, spec)


@pytest.mark.parametrize("value", [{"a": 1}, np.zeros(2), len, object(), {1}, 1j, np.random.RandomState(0)])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(SurrogateError, match=r"a parameter is .*, which cannot be saved; expected numbers, texts"):
        describe(Several(options=[value]))


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({}, "expected the description of a predictor, a spec or a parameter, got {}"),
        ({"class": "pnas_surrogate.Ensemble"}, "expected the description of a predictor"),
        ({"class": "pnas_surrogate.Ensemble", "parameters": []}, "expected the description of a predictor"),
        ({"class": [], "parameters": {}}, "expected the description of a predictor"),
        ({"tuple": 5}, "expected the description of a predictor"),
        ({"class": "os.system", "parameters": {}}, "a os.system, which is not known: import the module that defines"),
        ({"kinds": ["a"], "vocabulary": {"b": 1}}, r"vocabulary must give a size for each of the kinds \['a'\]"),
    ],
)
def test_what_is_no_description_is_refused(described, message):
    with pytest.raises(SurrogateError, match=message):
        make([described], Predictor)


def test_only_subclasses_of_the_base_are_made(spec):
    with pytest.raises(SurrogateError, match="Several, which is not known"):
        make(describe(Several()), Predictor)


def test_of_classes_of_one_name_the_latest_is_made():
    for number in (1, 2):
        latest = type("Twice", (BaseEstimator,), {"__module__": __name__, "number": number})
    assert through_json(latest()).number == 2


def test_classes_of_one_name_in_different_packages_are_not_confused(spec):
    theirs = type("MLPPredictor", (MLPPredictor,), {"__module__": "naslib.predictors"})
    for known in (MLPPredictor, theirs):
        assert type(through_json(known(spec))) is known
