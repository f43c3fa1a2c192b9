from pnas_searchspace import PNAS_OPERATIONS


def test_the_papers_operations_keep_the_order_that_is_part_of_the_format() -> None:
    assert PNAS_OPERATIONS == (
        "sep_conv_3x3",
        "sep_conv_5x5",
        "sep_conv_7x7",
        "conv_1x7_7x1",
        "identity",
        "avg_pool_3x3",
        "max_pool_3x3",
        "dil_conv_3x3",
    )
