import pytest

from pnas_search import child_seed
from pnas_searchspace import Cell, CellSpace


@pytest.mark.parametrize(
    ("run_seed", "sha256"),
    [
        # printf '0 max_pool_3x3@-2+sep_conv_5x5@-1' | sha256sum
        (0, "fba930e103b40b16c6f2d718b2510410a250dc6ecc169b7fc16b55309adf3113"),
        (1, "ba9d01f4dfd6fd92a9e63f356605aba63977e0b17c59afa4062925cf5f0d2bb0"),
    ],
)
def test_a_seed_is_the_first_63_bits_of_the_digest_of_the_runs_seed_and_the_cells_key(
    run_seed: int, sha256: str
) -> None:
    cell = Cell([(-1, "sep_conv_5x5", -2, "max_pool_3x3")])
    assert child_seed(run_seed, cell) == int(sha256, 16) >> (256 - 63)


def test_isomorphic_encodings_have_one_seed() -> None:
    cell = Cell([(-1, "a", -2, "b"), (-2, "c", -2, "c"), (0, "a", 1, "b")])
    same = Cell([(-2, "c", -2, "c"), (-2, "b", -1, "a"), (0, "b", 1, "a")])
    assert str(cell) != str(same)
    assert child_seed(5, cell) == child_seed(5, same)


def test_a_child_that_is_trained_longer_has_another_seed() -> None:
    cell = Cell([(-1, "sep_conv_5x5", -2, "max_pool_3x3")])
    # printf '0 max_pool_3x3@-2+sep_conv_5x5@-1 x15' | sha256sum
    sha256 = "4848a02f5152df3a046dee3391824d76e393a2b7c860d9f69ba3c247119c3979"
    assert child_seed(0, cell, fidelity=15) == int(sha256, 16) >> (256 - 63)
    assert child_seed(0, cell, fidelity=1) == child_seed(0, cell)


def test_every_run_and_every_cell_has_a_seed_of_its_own() -> None:
    space = CellSpace()
    cells = space.to_cells(space.one_block_cells())
    seeds = {child_seed(run_seed, cell) for run_seed in (0, 1, 2**64, -1) for cell in cells}
    assert len(seeds) == 4 * len(cells)
    assert min(seeds) >= 0
    assert max(seeds) < 2**63
