from pnas_searchspace import Cell
from pnas_tools._terminal import sketch


def test_the_sketch_shows_what_every_block_adds_up() -> None:
    cell = Cell([[-2, "conv_1x7_7x1", -1, "identity"], [0, "max_pool_3x3", -1, "max_pool_3x3"]])
    assert sketch(cell).splitlines() == [
        "  -2 -- conv_1x7_7x1 --.",
        "  -1 -- identity ------+-- 0",
        "   0 -- max_pool_3x3 --.",
        "  -1 -- max_pool_3x3 --+-- 1",
    ]
