from typing import NamedTuple


class Block(NamedTuple):
    """Two operations, each on one input, whose results are added (section 3.1 of the paper).

    An input is -1 for the previous cell, -2 for the one before it, or the index of an earlier block of the same cell.
    """

    input_1: int
    operation_1: str
    input_2: int
    operation_2: str

    def __str__(self) -> str:
        return f"{self.operation_1}@{self.input_1}+{self.operation_2}@{self.input_2}"
