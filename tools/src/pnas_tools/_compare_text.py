"""What `pnas-tools compare` prints for people: the paper's table 2, and what the strategies trained."""

import math

from rich.console import Console
from rich.table import Table

from pnas_surrogate.benchmark import Interval
from pnas_tools._compare_efficiency import Efficiency, Target
from pnas_tools._compare_result import CompareResult
from pnas_tools._output import print_table


def print_compare_result(console: Console, result: CompareResult) -> None:
    """What was compared, table 2 with intervals, and how much was trained or interpolated."""
    _print_line(console, f"\n{_caption(result)}\n")
    print_table(console, _efficiencies(result))
    _print_line(console, "")
    print_table(console, _totals(result))


def _caption(result: CompareResult) -> str:
    first, *later = result.seeds
    trials = f"{len(result.seeds)} trials (seeds {first} to {later[-1]})" if later else f"One trial (seed {first})"
    where = "" if result.benchmark is None else f" on the surrogate benchmark {result.benchmark}"
    interval = " ± its 95 % confidence interval" if later else ""
    expected = "" if result.benchmark is None else "; the last is what another training of those models may expect"
    return (
        f"{trials}{where}: the mean accuracy of the M best models{interval}, after as many as {result.reference} "
        f"trains; then what it takes to be as accurate as {result.reference} at its end{expected}."
    )


def _efficiencies(result: CompareResult) -> Table:
    expected = ["expected"] if result.benchmark is not None else []
    table = _table("M", "", right=("accuracy", "difference", "models", "times", "examples", "times", *expected))
    for top in result.tops:
        table.add_row(
            str(top), result.reference, *_target(result.target(top)), *_expected(result, result.reference, top)
        )
        for strategy in result.others:
            table.add_row(
                "", strategy, *_efficiency(result.efficiency(strategy, top)), *_expected(result, strategy, top)
            )
    return table


def _target(one: Target) -> list[str]:
    return [_shown(one.accuracy), "", f"{one.n_models:,.0f}", "", f"{one.n_examples:,.0f}", ""]


def _efficiency(one: Efficiency) -> list[str]:
    more = "" if one.is_reached else "> "
    return [
        _shown(one.accuracy),
        _shown(one.difference, "+"),
        f"{more}{one.n_models:,}",
        f"{more}{one.times_models:.2f}",
        f"{more}{one.n_examples:,.0f}",
        f"{more}{one.times_examples:.2f}",
    ]


def _expected(result: CompareResult, strategy: str, top: int) -> list[str]:
    expected = result.expected(strategy, top)
    return [] if expected is None else [_shown(expected)]


def _totals(result: CompareResult) -> Table:
    """Of all trials together."""
    table = _table("", right=("models in all", "failed", *(["interpolated"] if result.benchmark is not None else [])))
    for strategy, trials in result.trials.items():
        share = [f"{result.interpolated(strategy):.1%}"] if result.benchmark is not None else []
        n_models, n_failed = (sum(getattr(trial, name) for trial in trials) for name in ("n_models", "n_failed"))
        table.add_row(strategy, f"{n_models:,}", f"{n_failed:,}", *share)
    return table


def _shown(interval: Interval, sign: str = "") -> str:
    if math.isnan(interval.mean):
        return "-"
    mean = f"{interval.mean:{sign}.4f}"
    return mean if math.isnan(interval.half_width) else f"{mean} ±{interval.half_width:.4f}"


def _table(*left: str, right: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in left:
        table.add_column(header)
    for header in right:
        table.add_column(header, justify="right")
    return table


def _print_line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
