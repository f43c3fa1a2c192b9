import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pnas_searchspace import CellSpace, SearchSpaceError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "counts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "row", GOLDEN, ids=lambda row: f"{row['n_operations']}-{row['n_cell_inputs']}-{row['n_blocks']}"
)
def test_the_counts_stay_what_they_were(row: dict[str, Any]) -> None:
    """`test_orbits.py` has those of them that brute force can find."""
    space = CellSpace([f"op{number}" for number in range(row["n_operations"])], row["n_cell_inputs"])
    for up_to in ("nothing", "commutativity", "isomorphism"):
        assert str(space.count(row["n_blocks"], up_to)) == row[up_to]


def test_the_numbers_that_the_paper_gives() -> None:
    """Section 3.1: 256 cells of one block, 136 of them different, and 5.6e14 of five."""
    space = CellSpace()
    assert space.count(1, "nothing") == 256
    assert space.count(1, "commutativity") == space.count(1) == 136
    assert f"{space.count(5, 'nothing'):.1e}" == "5.6e+14"
    assert 1e12 < space.count(5) < 1e13


@pytest.mark.parametrize(("n_operations", "n_cell_inputs", "n_blocks"), [(1, 1, 4), (2, 1, 3), (2, 2, 2), (3, 3, 1)])
def test_encodings_are_counted_as_they_can_be_listed(n_operations: int, n_cell_inputs: int, n_blocks: int) -> None:
    operations = range(n_operations)
    operands = [list(product(range(-n_cell_inputs, block), operations)) for block in range(n_blocks)]
    ordered = [[(a, b) for a in some for b in some] for some in operands]
    unordered = [[(a, b) for a, b in blocks if a <= b] for blocks in ordered]
    space = CellSpace([f"op{number}" for number in operations], n_cell_inputs)
    assert space.count(n_blocks, "nothing") == sum(1 for _ in product(*ordered))
    assert space.count(n_blocks, "commutativity") == sum(1 for _ in product(*unordered))


def test_counts_are_exact_beyond_any_fixed_size_of_integer() -> None:
    count = CellSpace().count(12)
    assert isinstance(count, int)
    assert count > 2**64
    encodings = CellSpace().count(300, "nothing")
    assert encodings == CellSpace().count(299, "nothing") * (301 * 8) ** 2


@pytest.mark.parametrize("up_to", ["", "everything", None])
def test_an_unknown_symmetry_is_refused(up_to: Any) -> None:
    with pytest.raises(
        SearchSpaceError, match=f"^up_to must be one of nothing, commutativity, isomorphism, not {up_to!r}$"
    ):
        CellSpace().count(2, up_to)
