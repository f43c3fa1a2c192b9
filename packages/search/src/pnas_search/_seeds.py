import hashlib

from pnas_searchspace import Cell


def child_seed(run_seed: int, cell: Cell, fidelity: int = 1) -> int:
    """The seed of a child, in [0, 2**63): a function of the run's seed, the cell, however encoded, and the fidelity."""
    again = "" if fidelity == 1 else f" x{fidelity}"
    digest = hashlib.sha256(f"{run_seed} {cell.key}{again}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
