"""What a finished search prints."""

import shlex
from typing import Any

from rich.console import Console
from rich.table import Table

from pnas_searchspace import Cell
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._output import listed, print_table
from pnas_tools._run_folder import RunFolder
from pnas_tools._tracking_uri import where_to_look


def print_result(
    console: Console, run: RunFolder, result: dict[str, Any], tracking_uri: str | None, *, is_last: bool = True
) -> None:
    """The best cell as text and as a drawing, what it cost, where everything lies, and how to go on, if that is all."""
    cell = Cell(result["best_cell"])
    console.print(f"\nBest cell, accuracy {result['best_accuracy']:.4f}:\n", highlight=False)
    console.print(sketch(cell), highlight=False, markup=False)
    console.print(f"\n  {cell}\n", highlight=False, markup=False, soft_wrap=True)
    levels = Table("blocks", "models", "examples", "best accuracy", title=None, box=None, pad_edge=True)
    for level in result["levels"]:
        levels.add_row(*_level(level))
    print_table(console, levels)
    if "front" in result:
        console.print(f"\n{_front(result)}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"\n{_cost(result)}\n", highlight=False, markup=False, soft_wrap=True)
    places = {
        "report": str(run.report),
        "drawing": str(run.drawing),
        "result": str(run.result),
        "every child": str(run.ledger),
    }
    if tracking_uri is not None:
        places["MLflow"] = where_to_look(tracking_uri)
    if is_last:
        places["train it"] = f"pnas-tools train {shlex.quote(str(run.path))}"
    console.print(listed(places), highlight=False, markup=False, soft_wrap=True)


def _level(level: dict[str, Any]) -> tuple[str, ...]:
    longer = f", {level['fidelity']} x epochs" if level.get("fidelity", 1) > 1 else ""  # older versions tell neither
    best = "none" if level["best_accuracy"] is None else f"{level['best_accuracy']:.4f}"
    return (
        f"{level['n_blocks']}{longer}",
        f"{level['n_models']:,}",
        f"{level['n_examples']:,}" if "n_examples" in level else "",
        best,
    )


def _front(result: dict[str, Any]) -> str:
    cells = [
        "  ".join([f"{entry['accuracy']:.4f}", *_costs(entry), str(Cell(entry["cell"]))]) for entry in result["front"]
    ]
    return "\n".join([f"Pareto front, hypervolume {result['hypervolume']:.6g}:\n", *(f"  {cell}" for cell in cells)])


def _costs(entry: dict[str, Any]) -> list[str]:
    costs = {name: value for name, value in entry.items() if name not in ("cell", "accuracy")}
    return [f"{1e3 * value:.3g} ms" if name == "latency" else f"{value:,.0f} {name}" for name, value in costs.items()]


def _cost(result: dict[str, Any]) -> str:
    benchmark = BenchmarkName.of(result["config"]["evaluator"])
    if benchmark is None:
        return f"{result['n_models']:,} models trained on {result['n_examples']:,} examples in all."
    n_measured = result["n_models"] - result["n_interpolated"]
    return (
        f"No model was trained: on the surrogate benchmark {benchmark.name} {n_measured:,} accuracies were looked up, "
        f"and {result['n_interpolated']:,} interpolated."
    )


def sketch(cell: Cell) -> str:
    """The cell in characters: for every block what it adds up."""
    width = max(len(operation) for block in cell for operation in (block.operation_1, block.operation_2))
    lines = []
    for index, block in enumerate(cell):
        first, second = (
            f"{operation} {'-' * (width - len(operation) + 2)}" for operation in (block.operation_1, block.operation_2)
        )
        lines.append(f"  {block.input_1:>2} -- {first}.")
        lines.append(f"  {block.input_2:>2} -- {second}+-- {index}")
    return "\n".join(lines)
