from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace._canonical import canonical_blocks


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_canonical_form_is_the_smallest_of_all_encodings(
    data: st.DataObject, encodings: Callable[..., Any], all_encodings: Callable[..., Any]
) -> None:
    blocks = data.draw(encodings())
    assert canonical_blocks(blocks) == min(all_encodings(blocks))


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_all_encodings_of_a_cell_have_one_canonical_form(
    data: st.DataObject, encodings: Callable[..., Any], all_encodings: Callable[..., Any]
) -> None:
    blocks = data.draw(encodings(max_blocks=4))
    assert {canonical_blocks(encoding) for encoding in all_encodings(blocks)} == {canonical_blocks(blocks)}


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_every_prefix_of_a_canonical_form_is_canonical(data: st.DataObject, encodings: Callable[..., Any]) -> None:
    canonical = canonical_blocks(data.draw(encodings()))
    for length in range(1, len(canonical) + 1):
        assert canonical_blocks(canonical[:length]) == canonical[:length]


def test_of_equal_blocks_the_one_that_is_read_comes_first_where_that_is_smaller() -> None:
    twins = (-2, "a", -2, "a"), (-2, "a", -2, "a")
    assert canonical_blocks((*twins, (1, "a", -1, "a"))) == (*twins, (-1, "a", 0, "a"))


def test_operations_compare_by_name_and_inputs_before_operations() -> None:
    blocks = ((-1, "a", -2, "z"), (-2, "b", -1, "c"))
    assert canonical_blocks(blocks) == ((-2, "b", -1, "c"), (-2, "z", -1, "a"))
