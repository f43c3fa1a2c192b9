from collections.abc import Mapping
from typing import Any

from rich.table import Table

from pnas_tools._report._words import amount


def accuracy_table(measured: Mapping[str, Any]) -> Table:
    """What a network is worth as a row of the paper's tables 4 and 5, with its names."""
    height, width = measured["image_size"]
    row = {
        "image size": f"{height} x {width}",
        "params": amount(measured["n_parameters"]),
        "mult-adds": amount(measured["n_multiply_adds"]),
        "top-1": f"{100 * measured['top_1']:.2f} %",
        "top-5": f"{100 * measured['top_5']:.2f} %",
    }
    table = Table(box=None, pad_edge=True)
    for name in row:
        table.add_column(name, justify="right")
    table.add_row(*row.values())
    return table
