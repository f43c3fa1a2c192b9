import pytest

from pnas_surrogate import SequenceSpec, SurrogateError


@pytest.mark.parametrize(
    ("kinds", "vocabulary", "message"),
    [
        ((), {}, r"vocabulary must give a size for each of the kinds \[\]"),
        (("input", "operation"), {"input": 3}, r"kinds \['input', 'operation'\] and for no other, not for \['input'\]"),
        (("input",), {"input": 3, "colour": 2}, r"not for \['colour', 'input'\]"),
        (("input",), {"input": 0}, "the vocabulary of 'input' must have 1 token or more, not 0"),
    ],
)
def test_a_vocabulary_that_does_not_fit_the_kinds_is_refused(kinds, vocabulary, message):
    with pytest.raises(SurrogateError, match=message):
        SequenceSpec(kinds=kinds, vocabulary=vocabulary)


def test_equal_specs_are_equal_and_a_spec_cannot_be_changed():
    spec = SequenceSpec(kinds=("a", "b", "a"), vocabulary={"a": 1, "b": 2})
    assert spec == SequenceSpec(kinds=("a", "b", "a"), vocabulary={"b": 2, "a": 1})
    with pytest.raises(AttributeError):
        spec.kinds = ("a",)
