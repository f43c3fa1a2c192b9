import numpy as np
import pytest

from pnas_searchspace._checks import as_integer, short


@pytest.mark.parametrize(
    ("value", "integer"),
    [(3, 3), (np.int8(-2), -2), (np.array(4), 4), (True, None), (np.bool_(True), None), (1.0, None), ("1", None)],
)
def test_integers_of_every_kind_are_integers_and_truth_values_are_not(value: object, integer: int | None) -> None:
    assert as_integer(value) == integer


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a" * 200, f"'{'a' * 37}...{'a' * 38}'"),
        (np.zeros((2, 1)), "array([[0.], [0.]])"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_what_was_given_is_shown_on_one_short_line(value: object, text: str) -> None:
    assert short(value) == text


def test_an_integer_that_python_does_not_write_is_named() -> None:
    assert short(10**5000) == "a very large int"
