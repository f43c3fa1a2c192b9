from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pnas_searchspace import CellSpace
from pnas_tools._compare_config import resolve_configs
from pnas_tools._config import PRESETS
from pnas_tools._errors import resumable
from pnas_tools._execution import Execution
from pnas_tools._files import write_atomically, write_text_atomically
from pnas_tools._heirs import check_early_stopping
from pnas_tools._options import config_options, execution_options
from pnas_tools._output import Output, output_options
from pnas_tools._output_file import OutputFile
from pnas_tools._parameter_types import POSITIVE, Names, OneOf
from pnas_tools._strategy_names import STRATEGIES


@click.command(
    "compare", epilog="Example: pnas-tools compare --evaluator benchmark:micro-digits --models 500 --out runs/compared"
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder of all runs.")
@click.option(
    "--strategies",
    type=Names("strategy", STRATEGIES),
    default=",".join(STRATEGIES),
    show_default=True,
    help="The others are compared with the first.",
)
@click.option(
    "--trials", "n_trials", type=POSITIVE, default=5, show_default=True, help="Of each, with seeds from --seed on."
)
@click.option("--so-far", is_flag=True, help="Run nothing; show the seeds that every strategy has finished.")
@click.option("--csv", "csv_file", type=OutputFile(".csv"), help="File for figure 4's curves.")
@click.option(
    "--plot", "plot_file", type=OutputFile(".svg", ".png", ".pdf"), help="File for figure 4: .svg, .png or .pdf."
)
@click.option("--preset", type=OneOf(list(PRESETS)), default="quick", show_default=True, help="Where values come from.")
@output_options
@execution_options
@config_options
@click.pass_context
@resumable()
def compare_command(
    context: click.Context,
    /,
    out: Path,
    strategies: tuple[str, ...],
    n_trials: int,
    so_far: bool,
    output: Output,
    csv_file: Path | None,
    plot_file: Path | None,
    preset: str,
    execution: Execution,
    **options: Any,
) -> None:
    """Compare strategies by what they find with how many models: the paper's figure 4 and table 2.

    Every trial is a search in a folder of its own under --out, by the options below --child-timeout; those that mean
    something to some strategies only are given to these, and --rerank, as in the paper, to reinforce. Interrupted in
    whatever way, the same command goes on, and with more --trials or --strategies it runs those that are missing.

    Without --models every strategy trains as many as progressive does; the paper gives the others five times as many.
    """
    from pnas_tools._compare_data import comparison_as_csv, comparison_as_json
    from pnas_tools._compare_runs import check_trials, finished_trials, planned_trials, read_trials, run_trials
    from pnas_tools._compare_text import print_compare_result
    from pnas_tools._strategies import check_strategy_sizes

    configs = resolve_configs(context, preset, options, strategies)
    for config in configs:
        execution.check(config)
        check_strategy_sizes(config, len(CellSpace(config.operations).one_block_cells()))
        check_early_stopping(config)
    trials = planned_trials(configs, n_trials, out)
    check_trials(trials)
    if so_far:
        trials = finished_trials(trials)
    else:
        run_trials(trials, execution, output.meanwhile)
    result = read_trials(trials)
    if csv_file is not None:
        write_text_atomically(csv_file, comparison_as_csv(result))
    if plot_file is not None:
        from pnas_tools._compare_plot import plot_comparison

        write_atomically(plot_file, plot_comparison(result, plot_file.suffix[1:].lower()))
    output.show(comparison_as_json(result), lambda: print_compare_result(Console(), result))


# Which strategy, --strategies says.
compare_command.params = [option for option in compare_command.params if option.name != "strategy"]
