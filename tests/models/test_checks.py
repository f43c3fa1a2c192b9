import re
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


@pytest.mark.parametrize("name", ["n_filters", "n_repeats", "num_classes", "in_channels"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None])
def test_a_number_that_is_not_whole_and_positive_is_refused(name: str, value: Any) -> None:
    numbers = {"n_filters": 4, "n_repeats": 1, "num_classes": 10, "in_channels": 3, name: value}
    with _refused(f"{name} must be a whole number of 1 or more, not {value!r}"):
        cifar_network([GOOD], **numbers)
