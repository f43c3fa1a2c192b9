import hashlib

from pnas_searchspace import Cell


def child_seed(run_seed: int, cell: Cell) -> int:
    """The seed of a child, in [0, 2**63): a function of the run's seed and of the cell, however that is encoded."""
    digest = hashlib.sha256(f"{run_seed} {cell.key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
