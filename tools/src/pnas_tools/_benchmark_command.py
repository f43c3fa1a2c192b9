import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from pnas_search import BENCHMARKS, Benchmark, SearchError, load_benchmark
from pnas_tools._errors import BadInput, Failed, resumable
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._output import Output, output_options, print_table
from pnas_tools._parameter_types import POSITIVE, SEED, OneOf
from pnas_tools._proxies import PROXIES

if TYPE_CHECKING:  # it imports what trains
    from pnas_tools._benchmark_check import Remade


@click.group("benchmark", epilog="Example: pnas-tools benchmark info")
def benchmark_command() -> None:
    """Tables of really trained cells, on which strategies and surrogates can be tried in seconds.

    `pnas-tools search --evaluator benchmark:NAME` searches on one.
    """


@benchmark_command.command("make", epilog="Example: pnas-tools benchmark make micro-digits --out runs/micro-digits")
@click.argument("name", metavar="NAME", type=OneOf(list(PROXIES)))
@click.option("--dataset", help="Folder of the images, where the benchmark is of no data set that comes with PNAS.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder of the runs.  [default: runs/ and the name]")
@click.option("--workers", type=POSITIVE, help="Processes that train.  [default: one per core]")
@click.option("--uniform", "n_uniform", type=POSITIVE, help="Cells of the largest size drawn uniformly.")
@click.option("--repeated", "n_repeated", type=POSITIVE, help="Cells of each size that are trained with every seed.")
@click.option("--blocks", "n_blocks", type=POSITIVE, help="Of the largest cells.")
@click.option("--beam", "beam_size", type=POSITIVE, help="K of the searches.")
@click.option("--so-far", is_flag=True, help="Train nothing more; make a benchmark of what is trained by now.")
@output_options
@resumable()
def make_command(
    name: str,
    dataset: str | None,
    out: Path | None,
    workers: int | None,
    n_uniform: int | None,
    n_repeated: int | None,
    n_blocks: int | None,
    beam_size: int | None,
    so_far: bool,
    output: Output,
) -> None:
    """Train the cells of a benchmark, and write it to NAME.npz in the folder of the runs.

    Interrupted in whatever way, the same command goes on. Without options but --dataset it remakes the benchmark that
    comes with pnas-search: with the same versions, and on any x86 processor that has AVX2, only the seconds differ.
    """
    from pnas_tools._benchmark_make import BenchmarkMaker
    from pnas_tools._benchmark_plan import BenchmarkPlan
    from pnas_tools._execution import Execution

    proxy = PROXIES[name]
    if proxy.is_embedded and dataset is not None:
        raise BadInput(f"{name} is of {proxy.images}, which come with PNAS: leave out --dataset")
    if not proxy.is_embedded and dataset is None:
        raise BadInput(f"{name} is of {proxy.images}, which do not come with PNAS: say with --dataset where they are")
    config = dataclasses.replace(proxy.config, **_given(dataset=dataset, n_blocks=n_blocks, beam_size=beam_size))
    plan = dataclasses.replace(BenchmarkPlan(), **_given(n_uniform=n_uniform, n_repeated=n_repeated))
    folder = out if out is not None else Path("runs") / name
    execution = Execution(n_workers=workers)
    maker = BenchmarkMaker(name, proxy, config, plan, folder, execution=execution, console=output.meanwhile)
    maker.check()
    try:
        if not so_far:
            maker.train()
        path = maker.write()
    except SearchError as error:
        raise Failed(str(error)) from error
    benchmark = load_benchmark(str(path))
    output.show({"file": str(path), **_info(benchmark)}, lambda: _print_made(benchmark, path))


@benchmark_command.command("info", epilog="Example: pnas-tools benchmark info micro-digits --json")
@click.argument("names", nargs=-1)
@output_options
def info_command(names: tuple[str, ...], output: Output) -> None:
    """Say what is in benchmarks: those that come with PNAS, or the NAMES, which may be paths of files."""
    try:
        benchmarks = [load_benchmark(name) for name in names or BENCHMARKS]
    except SearchError as error:
        raise BadInput(str(error)) from error
    output.show([_info(benchmark) for benchmark in benchmarks], lambda: print_table(Console(), _table(benchmarks)))


@benchmark_command.command("check", epilog="Example: pnas-tools benchmark check micro-digits --rows 20")
@click.argument("name")
@click.option("--rows", "n_rows", type=POSITIVE, default=20, show_default=True, help="How many trainings.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Which ones.")
@click.option("--dataset", help="Where the images are.  [default: where they were]")
@click.option("--workers", type=POSITIVE, help="Processes that train.  [default: one per core]")
@output_options
def check_command(name: str, n_rows: int, seed: int, dataset: str | None, workers: int | None, output: Output) -> None:
    """Train some of a benchmark's cells again, and compare their accuracies after every epoch.

    With the versions it was made with, on an x86 processor that has AVX2, they are the same to the last image, and the
    exit code is 0. Elsewhere they may differ by what seeds make, and the exit code is 1.
    """
    from pnas_tools._benchmark_check import drawn_rows, remake, training_config
    from pnas_tools._execution import Execution

    try:
        benchmark = load_benchmark(name)
    except SearchError as error:
        raise BadInput(str(error)) from error
    config = training_config(BenchmarkName(name=name, exact=False), dataset)
    rows = drawn_rows(benchmark, n_rows, seed)
    try:
        remade = remake(config, rows, Execution(n_workers=workers), output.meanwhile)
    except SearchError as error:
        raise Failed(str(error)) from error
    n_equal = sum(one.is_equal for one in remade)
    output.show([_comparison(one) for one in remade], lambda: _print_comparisons(remade, n_equal))
    if n_equal < len(remade):
        raise Failed(f"{len(remade) - n_equal} trainings of {benchmark.name} differ from those that it holds")


def _print_made(benchmark: Benchmark, path: Path) -> None:
    print_table(Console(), _table([benchmark]))
    click.echo(f"\n  benchmark    {path}\n  search       pnas-tools search --evaluator benchmark:{path}")


def _comparison(one: "Remade") -> dict[str, Any]:
    return {
        "cell": one.row.cell,
        "seed": one.row.seed,
        "is_equal": one.is_equal,
        "there": {"status": one.row.status, "accuracies": one.row.accuracies},
        "here": {"status": one.outcome.status, "accuracies": one.outcome.accuracies},
    }


def _print_comparisons(remade: Sequence["Remade"], n_equal: int) -> None:
    for one in remade:
        there, here = (
            f"{run.accuracy:.4f}" if run.accuracy is not None else run.status for run in (one.row, one.outcome)
        )
        click.echo(f"{'same' if one.is_equal else 'DIFFERENT'}  {there}  {here}  seed {one.row.seed}  {one.row.cell}")
    click.echo(f"{n_equal} of {len(remade)} trainings gave the same accuracies after every epoch.")


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _info(benchmark: Benchmark) -> dict[str, Any]:
    sizes = [len(cell.cell) for cell in benchmark.cells]
    return {
        "name": benchmark.name,
        "n_rows": len(benchmark.rows),
        "rows_per_size": benchmark.rows_per_size(),
        "n_cells": len(benchmark.cells),
        "cells_per_size": {size: sizes.count(size) for size in range(1, benchmark.n_blocks + 1)},
        **benchmark.about,
    }


def _table(benchmarks: list[Benchmark]) -> Table:
    table = Table("benchmark", "blocks", "cells", "trainings", "accuracy", "interpolation", box=None, pad_edge=False)
    for benchmark in benchmarks:
        info = _info(benchmark)
        for size, n_cells in info["cells_per_size"].items():
            accuracies = [row.accuracy for row in benchmark.rows if len(row.cell) == size and row.accuracy is not None]
            held_out = info["held_out"].get(str(size))
            table.add_row(
                benchmark.name if size == 1 else "",
                str(size),
                f"{n_cells:,}",
                f"{info['rows_per_size'].get(size, 0):,}",
                f"{min(accuracies):.3f} to {max(accuracies):.3f}" if accuracies else "-",
                f"{held_out:.2f}" if held_out is not None else "-",
            )
    return table
