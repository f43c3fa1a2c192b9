"""What `pnas-tools surrogate benchmark` prints for people: the layout of the paper's table 1."""

import math
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.table import Table

from pnas_surrogate.benchmark import Interval, Predictions, Trials
from pnas_tools._output import print_table
from pnas_tools._surrogate_result import SurrogateResult


def print_surrogate_result(console: Console, result: SurrogateResult) -> None:
    """Correlations as in table 1, those on others of the same size, and the paired differences."""
    console.print(f"\n{_caption(result)}\n", highlight=False, markup=False, soft_wrap=True)
    print_table(console, _table_1(result))
    if any(one.same_size is not one.unseen and one.same_size is not None for one in result.evaluation.trials):
        console.print("\nOn sequences of the same size that were not trained on:\n")
        print_table(console, _same_size(result))
    if len(result.evaluation.predictors) > 1:
        console.print(f"\nOn unseen sequences, less {result.against} in the same trial:\n")
        print_table(console, _differences(result))


def _caption(result: SurrogateResult) -> str:
    options = result.options
    sizes = "every size up to b" if options["cumulative"] else "size b"
    times = f"{options['n_trials']} times" if options["n_trials"] > 1 else "once"
    return (
        f"On {result.table.name}, fitted {times} to {options['n_samples']} sequences of {sizes}: "
        "Spearman's rank correlation, its mean ± the 95 % confidence interval."
    )


def shown(interval: Interval, sign: str = "", between: str = " ") -> str:
    """An interval in characters."""
    mean = f"{interval.mean:{sign}.3f}"
    return mean if math.isnan(interval.half_width) else f"{mean}{between}±{interval.half_width:.3f}"


def _table_1(result: SurrogateResult) -> Table:
    table = _table("")
    for size in result.evaluation.sizes:
        first = result.evaluation.of(result.evaluation.predictors[0], size)
        table.add_column(f"b={size}\ntrained", justify="right")
        table.add_column(f"\n{'others' if first.next_size is None else f'b={first.next_size}'}", justify="right")
    _add_rows(table, result, lambda one: [_cell(one.training), _cell(one.unseen)])
    repeats = [result.between_repeats(one.next_size or one.size) for one in _of_first(result)]
    if any(value is not None for value in repeats):
        table.add_section()
        table.add_row("repeats", *_under_unseen(repeats))
        table.add_row("ceiling", *_under_unseen([_ceiling(value) for value in repeats]))
    return table


def _same_size(result: SurrogateResult) -> Table:
    table = _table("", *(f"b={size}" for size in result.evaluation.sizes))
    _add_rows(table, result, lambda one: ["-" if one.same_size is None else _cell(one.same_size)])
    return table


def _differences(result: SurrogateResult) -> Table:
    headers = [f"b={one.next_size}" if one.next_size is not None else "others" for one in _of_first(result)]
    table = _table("", *headers, *(["mean"] if len(headers) > 1 else []))
    for name in result.evaluation.predictors:
        if name != result.against:
            sizes = [*result.evaluation.sizes, *([None] if len(headers) > 1 else [])]
            intervals = [result.evaluation.difference(name, result.against, size) for size in sizes]
            table.add_row(name, *(shown(interval, "+", "\n") for interval in intervals))
    return table


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, header in enumerate(headers):
        table.add_column(header, justify="right" if index else "left")
    return table


def _add_rows(table: Table, result: SurrogateResult, cells: Callable[[Trials], list[str]]) -> None:
    for name in result.evaluation.predictors:
        of_sizes = [cells(result.evaluation.of(name, size)) for size in result.evaluation.sizes]
        table.add_row(name, *(cell for of_size in of_sizes for cell in of_size))


def _of_first(result: SurrogateResult) -> Iterable[Trials]:
    first = result.evaluation.predictors[0]
    return [result.evaluation.of(first, size) for size in result.evaluation.sizes]


def _under_unseen(values: Iterable[float | None]) -> list[str]:
    return [cell for value in values for cell in ("", "-" if value is None else f"{value:.3f}")]


def _ceiling(between_repeats: float | None) -> float | None:
    return None if between_repeats is None else math.sqrt(max(between_repeats, 0))


def _cell(predictions: Predictions) -> str:
    return shown(Interval.of(predictions.correlations), between="\n")
