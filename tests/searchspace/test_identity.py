import pytest

from pnas_searchspace._identity import ComparedByForm


class Word(ComparedByForm, tuple[str, ...]):
    """Equal whatever the case."""

    def _form(self) -> tuple[str, ...]:
        return tuple(letter.lower() for letter in self)


class Name(Word):
    """A word of a certain use."""


class Nickname(Word):
    """Another such."""


class Number(ComparedByForm, tuple[str, ...]):
    """Another kind."""

    def _form(self) -> tuple[str, ...]:
        return tuple(self)


def test_equality_hash_and_order_are_those_of_the_form() -> None:
    assert Word("aB") == Word("Ab")
    assert hash(Word("aB")) == hash(Word("Ab"))
    assert len({Word("aB"), Word("Ab"), Word("a")}) == 2
    assert sorted([Word("b"), Word("A"), Word("C")]) == [Word("a"), Word("B"), Word("c")]
    assert max(Word("b"), Word("A")) == Word("B")


def test_what_derives_from_one_kind_compares_and_no_other_kind_does() -> None:
    words = [Word("a"), Name("A"), Nickname("a")]
    assert all(one == other and hash(one) == hash(other) for one in words for other in words)
    assert Name("a") < Nickname("B")
    for other in (Number("a"), ("a",), "a"):
        assert Name("a") != other
        assert other != Name("a")
        with pytest.raises(TypeError, match=f"a Name has no order with a {type(other).__name__}"):
            _ = Name("a") < other
