import copy
import pickle

import numpy as np
import pytest

from pnas_surrogate import SequenceSpec, SurrogateError


@pytest.mark.parametrize(
    ("kinds", "vocabulary", "message"),
    [
        ((), {}, r"vocabulary must give a size for each of the kinds \[\]"),
        (("input", "operation"), {"input": 3}, r"kinds \['input', 'operation'\] and for no other, not for \['input'\]"),
        (("input",), {"input": 3, "colour": 2}, r"not for \['colour', 'input'\]"),
        (("input",), {"input": 0}, "the vocabulary of 'input' must have 1 token or more, not 0"),
        (("input",), {"input": 3.0}, "the vocabulary of 'input' must have 1 token or more, not 3.0"),
        (("input",), {"input": None}, "the vocabulary of 'input' must have 1 token or more, not None"),
        ((0,), {0: 5}, "a kind must be a text, not 0"),
        ((0, "a"), {"a": 5}, r"kinds \[0, 'a'\] and for no other, not for \['a'\]"),
    ],
)
def test_a_vocabulary_that_does_not_fit_the_kinds_is_refused(kinds, vocabulary, message):
    with pytest.raises(SurrogateError, match=message):
        SequenceSpec(kinds=kinds, vocabulary=vocabulary)


def test_equal_specs_are_equal_in_every_way():
    spec = SequenceSpec(kinds=["a", "b", "a"], vocabulary={"b": np.int64(2), "a": 1})
    other = SequenceSpec(kinds=("a", "b", "a"), vocabulary={"a": 1, "b": 2})
    assert spec == other
    assert hash(spec) == hash(other)
    assert repr(spec) == repr(other) == "SequenceSpec(kinds=('a', 'b', 'a'), vocabulary={'a': 1, 'b': 2})"
    assert eval(repr(spec)) == spec
    assert spec != SequenceSpec(kinds=("b", "a", "b"), vocabulary={"a": 1, "b": 2})
    assert spec != SequenceSpec(kinds=("a", "b", "a"), vocabulary={"a": 2, "b": 2})


def test_a_spec_cannot_be_changed():
    sizes = {"a": 1}
    spec = SequenceSpec(kinds=("a",), vocabulary=sizes)
    sizes["a"] = 0
    assert spec.vocabulary["a"] == 1
    with pytest.raises(AttributeError):
        spec.kinds = ("a",)
    with pytest.raises(TypeError):
        spec.vocabulary["a"] = 2


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda spec: pickle.loads(pickle.dumps(spec))])
def test_copies_are_equal(copied):
    spec = SequenceSpec(kinds=("a", "b"), vocabulary={"a": 1, "b": 2})
    assert copied(spec) == spec
