import pytest

from pnas_searchspace._identity import ComparedByForm


class Word(ComparedByForm, tuple[str, ...]):
    """Equal whatever the case."""

    def _form(self) -> tuple[str, ...]:
        return tuple(letter.lower() for letter in self)


class Name(Word):
    """A kind of word."""


class Number(Word):
    """Another kind, which no name is."""


def test_equality_hash_and_order_are_those_of_the_form() -> None:
    assert Word("aB") == Word("Ab")
    assert hash(Word("aB")) == hash(Word("Ab"))
    assert len({Word("aB"), Word("Ab"), Word("a")}) == 2
    assert sorted([Word("b"), Word("A"), Word("C")]) == [Word("a"), Word("B"), Word("c")]
    assert max(Word("b"), Word("A")) == Word("B")


def test_a_subclass_compares_with_its_base_and_no_other_kind_does() -> None:
    assert Word("a") == Name("A")
    assert Name("a") == Word("A")
    assert Name("a") < Word("B")
    assert Name("a") != Number("a")
    assert Word("a") != ("a",)
    assert Word("a") != ("a",)
    for other in (Number("b"), ("b",), "b"):
        with pytest.raises(TypeError, match=f"a Name has no order with a {type(other).__name__}"):
            _ = Name("a") < other
