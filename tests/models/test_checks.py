import re
from itertools import product
from typing import Any

import pytest

from pnas_models import ModelError, cifar_network

GOOD = (-1, "identity", -2, "identity")


def _refused(message: str) -> Any:
    return pytest.raises(ModelError, match=re.escape(message))


def test_a_cell_without_blocks_is_refused() -> None:
    with _refused("a cell needs at least one block, and this one has none"):
        cifar_network([], 4, 1, 10)


@pytest.mark.parametrize("block", ["abcd", 7, (-1, "identity", -2), (*GOOD, 0)])
def test_a_block_that_is_not_four_values_is_refused(block: Any) -> None:
    with _refused(f"block 1 must be (input_1, operation_1, input_2, operation_2), not {block!r}"):
        cifar_network([GOOD, block], 4, 1, 10)


@pytest.mark.parametrize("position", [0, 2])
@pytest.mark.parametrize("value", [1, 2, -3, True, 0.0, "0", None])
def test_an_input_that_does_not_come_before_the_block_is_refused(value: Any, position: int) -> None:
    block: list[Any] = list(GOOD)
    block[position] = value
    with _refused(f"block 1 reads input {value!r}; it can read -2, -1 and the blocks before it, 0 to 0"):
        cifar_network([GOOD, block], 4, 1, 10)


def test_the_first_block_reads_no_block() -> None:
    with _refused("block 0 reads input 0; it can read -2, -1") as caught:
        cifar_network([(-1, "identity", 0, "identity")], 4, 1, 10)
    assert "blocks before it" not in str(caught.value)


@pytest.mark.parametrize("position", [1, 3])
@pytest.mark.parametrize("name", ["conv_9x9", "", None, ["identity"]])
def test_an_unknown_operation_is_refused_with_the_known_ones_and_the_way_out(name: Any, position: int) -> None:
    block: list[Any] = list(GOOD)
    block[position] = name
    message = f"block 0 applies the operation {name!r}; known are sep_conv_3x3, sep_conv_5x5,"
    with _refused(message) as caught:
        cifar_network([block], 4, 1, 10, operations={"mine": lambda *_: pytest.fail("nothing must be built")})
    assert "dil_conv_3x3, mine, and others can be given by operations={name: builder}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(["n_filters", "n_repeats", "num_classes", "in_channels"], [-1, 2.0, True, "3", None]),
        *product(["n_filters", "n_repeats", "in_channels"], [0]),
    ],
)
def test_a_number_that_is_not_whole_and_positive_is_refused(name: str, value: Any) -> None:
    numbers = {"n_filters": 4, "n_repeats": 1, "num_classes": 10, "in_channels": 3, name: value}
    with _refused(f"{name} must be a whole number of 1 or more, not {value!r}"):
        cifar_network([GOOD], **numbers)


@pytest.mark.parametrize("cell", ["identity", None, 3])
def test_what_is_no_sequence_is_no_cell(cell: Any) -> None:
    with _refused(f"a cell is a sequence of blocks (input_1, operation_1, input_2, operation_2), not {cell!r}"):
        cifar_network(cell)


@pytest.mark.parametrize("name", ["drop_rate", "drop_path_rate"])
@pytest.mark.parametrize("value", [-0.1, 1.0, True, "0.5", None])
def test_a_rate_lies_from_0_to_less_than_1(name: str, value: Any) -> None:
    with _refused(f"{name} must be a number from 0 to less than 1, not {value!r}"):
        cifar_network([GOOD], **{name: value})


@pytest.mark.parametrize("concat", [[], [0, 0], [1], [-3], ["0"], [True]])
def test_an_output_is_made_of_different_states_of_the_cell(concat: Any) -> None:
    with _refused(f"concat must name different states from -2 to 0, not {concat}"):
        cifar_network([GOOD], concat=concat, reduction_cell=[GOOD])


@pytest.mark.parametrize("index", [-2, -1])
def test_a_cell_of_stride_2_cannot_give_its_inputs(index: int) -> None:
    way_out = "a cell that is used with stride 2 cannot give its inputs: pass a reduction_cell"
    with pytest.raises(ModelError, match=f"from 0 to 0, not .*{way_out}"):
        cifar_network([GOOD], concat=[index, 0])
    with pytest.raises(ModelError, match="from 0 to 0, not "):
        cifar_network([GOOD], reduction_cell=[GOOD], reduction_concat=[index, 0])


def test_a_concat_of_no_reduction_cell_is_refused() -> None:
    with _refused("reduction_concat is about a reduction_cell, and there is none: pass both, or neither"):
        cifar_network([GOOD], reduction_concat=[0])


@pytest.mark.parametrize("image_size", ["32", 0, (8, 0), (8, 8, 8), 8.0])
def test_an_image_size_that_is_none_is_refused(image_size: Any) -> None:
    with _refused("image_size must be"):
        cifar_network([GOOD], auxiliary=True, image_size=image_size)
