import pickle
import re
from typing import Any

import numpy as np
import pytest

from pnas_searchspace import Block, SearchSpaceError
from pnas_searchspace._checks import short

BLOCK = Block(-2, "sep_conv_5x5", 0, "identity")
SWAPPED = Block(0, "identity", -2, "sep_conv_5x5")


def test_a_block_is_its_four_values_and_its_text_is_operation_at_input() -> None:
    assert tuple(BLOCK) == (-2, "sep_conv_5x5", 0, "identity")
    assert (BLOCK.input_1, BLOCK.operation_1, BLOCK.input_2, BLOCK.operation_2) == tuple(BLOCK)
    assert str(BLOCK) == "sep_conv_5x5@-2+identity@0"
    assert eval(repr(BLOCK)) == BLOCK


def test_blocks_are_equal_when_one_is_the_other_with_its_operands_swapped() -> None:
    assert BLOCK == SWAPPED
    assert hash(BLOCK) == hash(SWAPPED)
    assert tuple(BLOCK) != tuple(SWAPPED)
    assert Block(-2, "identity", 0, "sep_conv_5x5") != BLOCK
    assert tuple(BLOCK) != BLOCK
    assert not tuple(BLOCK) == BLOCK  # noqa: SIM201  # two methods answer


def test_blocks_sort_by_the_smaller_operand_first_whichever_way_they_are_written() -> None:
    larger = Block(0, "a", 0, "a")
    for block in (BLOCK, SWAPPED):
        assert block < larger
        assert block <= larger
        assert larger > block
        assert larger >= block
    assert not BLOCK < SWAPPED
    assert BLOCK <= SWAPPED
    with pytest.raises(TypeError, match="a Block has no order with a tuple"):
        _ = BLOCK < (0, "a", 0, "a")


def test_a_block_cannot_be_changed_and_a_changed_copy_is_checked() -> None:
    with pytest.raises(AttributeError):
        BLOCK.input_1 = 3  # type: ignore[misc]
    with pytest.raises(AttributeError):
        BLOCK.note = "no"  # type: ignore[attr-defined]
    assert BLOCK._replace(input_1=-1) == Block(-1, "sep_conv_5x5", 0, "identity")
    with pytest.raises(SearchSpaceError, match=re.escape("an operation must be a name of letters, digits")):
        BLOCK._replace(operation_1="a b")
    assert type(pickle.loads(pickle.dumps(BLOCK))) is Block


def test_numbers_and_texts_of_numpy_become_plain_ones() -> None:
    block = Block(np.int64(-1), np.str_("a"), np.uint8(2), "b")
    assert [type(value) for value in block] == [int, str, int, str]


@pytest.mark.parametrize("value", [-1.0, "-1", None, True, np.bool_(False), np.float64(1), 10**9, -(10**30)])
def test_an_input_that_is_no_integer_of_a_sensible_size_is_refused(value: Any) -> None:
    with pytest.raises(SearchSpaceError, match=f"^an input must be an integer from .*, not {re.escape(short(value))}$"):
        Block(0, "a", value, "b")


@pytest.mark.parametrize("name", ["", "a b", "a@b", "a+b", "a,b", "a\n", "é", None, 3, ["a"]])
def test_an_operation_whose_name_would_blur_keys_is_refused(name: Any) -> None:
    message = f"an operation must be a name of letters, digits, '_', '-' and '.', not {name!r}"
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Block(0, name, 0, "b")
