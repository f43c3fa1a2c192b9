from pnas_searchspace import Block


def test_a_block_is_its_four_values_and_its_text_is_operation_at_input() -> None:
    block = Block(-2, "sep_conv_5x5", 0, "identity")
    assert block == (-2, "sep_conv_5x5", 0, "identity")
    assert (block.input_1, block.operation_1, block.input_2, block.operation_2) == tuple(block)
    assert str(block) == "sep_conv_5x5@-2+identity@0"
