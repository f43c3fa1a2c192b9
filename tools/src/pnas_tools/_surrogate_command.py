from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from pnas_tools._errors import BadInput
from pnas_tools._files import write_atomically, write_json_atomically, write_text_atomically
from pnas_tools._output import Output, output_options
from pnas_tools._parameter_types import POSITIVE, SEED, IntegerRange, Kinds, Names, OneOf, Vocabulary
from pnas_tools._surrogate_predictors import DIFFERENT_PREDICTORS, PREDICTORS, make_predictor

if TYPE_CHECKING:  # importing torch takes seconds, and the command line answers before it is needed
    from pnas_tools._surrogate_result import SurrogateResult

_AT_LEAST_TWO = IntegerRange(min=2)


@click.group("surrogate", epilog="Example: pnas-tools surrogate benchmark micro-digits")
def surrogate_command() -> None:
    """Predictors of scores, compared on tables of scored sequences from any search space."""


@surrogate_command.command(
    "benchmark", epilog="Example: pnas-tools surrogate benchmark table.csv --kinds input,operation --out comparison"
)
@click.argument("table")
@click.option("--kinds", type=Kinds(), help="What the positions of a block mean, in order.  [default: token]")
@click.option("--vocabulary", type=Vocabulary(), help="Tokens of each kind.  [default: as many as the table has]")
@click.option(
    "--predictors",
    type=Names("predictor", PREDICTORS),
    help=f"Of {', '.join(PREDICTORS)}.  [default: all but gp, which is recommended]",
)
@click.option("--against", type=OneOf(PREDICTORS), help="Which one differences are from.  [default: the best]")
@click.option("--trials", "n_trials", type=POSITIVE, default=20, show_default=True, help="T, the fits at every size.")
@click.option(
    "--samples", "n_samples", type=_AT_LEAST_TWO, default=256, show_default=True, help="K, the sequences of a fit."
)
@click.option(
    "--targets", "n_targets", type=_AT_LEAST_TWO, help="R, the larger sequences that are ranked.  [default: all]"
)
@click.option(
    "--cumulative/--size-only",
    default=False,
    help="Fit to K sequences of every size so far, as a search does, or of one size.  [default: size-only]",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of draws and fits.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for all numbers and figure 3's plots.")
@output_options
def benchmark_command(
    table: str,
    kinds: tuple[str, ...] | None,
    vocabulary: Mapping[str, int] | None,
    predictors: tuple[str, ...] | None,
    against: str | None,
    n_trials: int,
    n_samples: int,
    n_targets: int | None,
    cumulative: bool,
    seed: int,
    out: Path | None,
    output: Output,
) -> None:
    """Fit predictors to sequences of one size, and see how they rank the next.

    That is the paper's Algorithm 2, printed as its table 1.

    TABLE is a CSV file with the header sequence,score or sequence,score,second_score, where a sequence is integers with
    spaces between them and a second score is another measurement of the same; or micro-digits or micro-cifar10, which
    come with PNAS. The size of a sequence, b, is its number of blocks, each with one token of every kind. In a table of
    one size, the sequences that were not trained on are ranked.
    """
    from pnas_surrogate import SurrogateError
    from pnas_surrogate.benchmark import Interval, Trials, evaluate
    from pnas_tools._surrogate import load_surrogate
    from pnas_tools._surrogate_result import SurrogateResult
    from pnas_tools._surrogate_table import read_table
    from pnas_tools._surrogate_text import print_surrogate_result, shown

    names = predictors or DIFFERENT_PREDICTORS
    if against is not None and against not in names:
        raise BadInput(f"--against {against} must be one of --predictors {','.join(names)}: name it there too")
    scored = read_table(table, kinds, vocabulary)
    if out is not None:
        _make_folder(out)
    load_surrogate()
    meanwhile = output.meanwhile

    def report(trials: Trials) -> None:
        interval = shown(Interval.of(trials.unseen.correlations))
        meanwhile.print(f"fitted to b={trials.size}  {trials.predictor}  {interval}", highlight=False, markup=False)

    options: dict[str, Any] = {
        "n_trials": n_trials,
        "n_samples": n_samples,
        "n_targets": n_targets,
        "cumulative": cumulative,
        "seed": seed,
    }
    try:
        evaluation = evaluate(
            {name: make_predictor(name, scored.spec) for name in names},
            scored.sequences,
            scored.scores,
            scored.spec,
            on_trials=report,
            **options,
        )
    except SurrogateError as error:
        raise BadInput(str(error)) from error
    result = SurrogateResult(table=scored, options=options, evaluation=evaluation, against=against or evaluation.best)
    if out is not None:
        _write(out, result)
    output.show(result.as_json(), lambda: print_surrogate_result(Console(), result))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"the folder {folder} cannot be made ({error.strerror}): pass another --out") from error


def _write(folder: Path, result: "SurrogateResult") -> None:
    from pnas_tools._surrogate_plot import plot_predictions

    write_json_atomically(folder / "result.json", result.as_json())
    write_text_atomically(folder / "correlations.csv", result.as_csv())
    for name in result.evaluation.predictors:
        write_atomically(folder / f"{name}.svg", plot_predictions(result.evaluation, name))
