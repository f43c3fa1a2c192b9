import shlex
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pnas_tools._errors import BadInput, resumable
from pnas_tools._logged_model import logged_model, track_network
from pnas_tools._network_options import PIXELS
from pnas_tools._output import Output, listed, output_options, print_table
from pnas_tools._parameter_types import (
    DURATION,
    POSITIVE,
    POSITIVE_NUMBER,
    SEED,
    Device,
    FiniteRange,
    IntegerRange,
    OneOf,
)
from pnas_tools._refusing import refusing
from pnas_tools._run_folder import RunFolder
from pnas_tools._training._folder import NETWORK_FOLDER, TrainingFolder
from pnas_tools._training._interruption import interruptible
from pnas_tools._training._plan import RECIPE_NAMES, TrainingPlan
from pnas_tools._training._process_group import ProcessGroup
from pnas_tools._training._progress import TrainingProgress
from pnas_tools._training._table import SearchCost, cifar_table

# pnas_models and pnas_trainer import torch, which takes seconds: the command imports them when it runs.


@click.command("train", epilog="Example: pnas-tools train runs/small --epochs 60")
@click.argument("network_text", metavar="RUN|CELL|NAME|FILE|FOLDER")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the training.  [default: of a RUN, network in its folder]",
)
@click.option(
    "--recipe",
    type=OneOf(RECIPE_NAMES),
    help="Where values come from; run is as the RUN trained, for 30 times as many epochs.  [default: cifar10_final for "
    "CIFAR, imagenet_large or _mobile for networks for ImageNet, run for a RUN, or else proxy_quick]",
)
@click.option(
    "--dataset",
    help="digits, cifar10, cifar100, fashion_mnist, an .npz file, or a folder with train and test or val.  "
    "[default: the RUN's, or digits]",
)
@click.option("--epochs", "n_epochs", type=POSITIVE, help="Passes over the images.  [default: the recipe's]")
@click.option("--batch-size", type=POSITIVE, help="Images in a step.  [default: the recipe's]")
@click.option("--learning-rate", type=POSITIVE_NUMBER, help="At its highest.  [default: the recipe's]")
@click.option(
    "--precision",
    type=OneOf(["float32", "bfloat16"]),
    help="What networks compute in, where PyTorch can.  [default: the recipe's]",
)
@click.option(
    "--auxiliary/--no-auxiliary",
    default=None,
    help="Whether a second classifier is trained along.  [default: the recipe's]",
)
@click.option(
    "--drop-path",
    "drop_path_rate",
    type=FiniteRange(0, 1, max_open=True),
    help="Share of paths that the last cell drops.  [default: the recipe's]",
)
@click.option("--train-images", type=POSITIVE, help="At most so many images train.  [default: all]")
@click.option("--image-size", type=PIXELS, help="Side of a folder's images.  [default: the network's own]")
@click.option("--weights", "weights_text", metavar="NAME|FILE", help="To begin with.  [default: random, or the FILE's]")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the weights and the order of the images.")
@click.option("--device", type=Device(), help="What to train on.  [default: the RUN's, or cpu]")
@click.option("--network", type=OneOf(["cifar", "imagenet"]), help="What a cell is put into.  [default: cifar]")
@click.option(
    "--filters",
    "n_filters",
    type=POSITIVE,
    help="Of a cell in the first stage, F.  [default: twice the RUN's; cifar 48, imagenet 54]",
)
@click.option(
    "--repeats", "n_repeats", type=POSITIVE, help="Of a cell in each stage, N.  [default: one more than the RUN's; 3]"
)
@click.option("--stem-filters", type=POSITIVE, help="Of the first convolution for ImageNet.  [default: 32]")
@click.option(
    "--workers",
    "n_workers",
    type=IntegerRange(0),
    help="Processes that decode a folder's images.  [default: one per core]",
)
@click.option(
    "--checkpoint-every",
    type=DURATION,
    default="60s",
    show_default=True,
    help="How often a checkpoint is written, from which the same command goes on.",
)
@click.option("--track/--no-track", default=True, show_default=True, help="Whether to log the network to MLflow.")
@output_options
@click.pass_context
@resumable()
def train_command(
    context: click.Context,
    /,
    network_text: str,
    out: Path | None,
    n_workers: int | None,
    checkpoint_every: float,
    track: bool,
    output: Output,
    **options: Any,
) -> None:
    """Train a network on all images but a test part, and measure it on that: the paper's last step.

    A RUN is the folder of a finished search: its best cell is trained on its data set, in a network that is larger than
    the children by as much as in the paper (twice the filters, one more cell in each stage). The rest is as in
    `pnas-tools models`; the training of a FILE, or of what was trained in a FOLDER, begins with its weights.

    Interrupted in whatever way, the same command goes on: after Ctrl-C from that step, and after a kill from the last
    checkpoint. Under torchrun several processes train together, and go on from the last checkpoint, as in:
    torchrun --nproc-per-node 2 -m pnas_tools train runs/small
    """
    from pnas_tools._devices import check_device
    from pnas_tools._training._final_training import FinalTraining
    from pnas_tools._training._request import Request

    group = ProcessGroup.of_environment()
    console = Console(stderr=True, quiet=output.is_quiet or not group.is_first)
    with refusing():
        request = Request.of_options(network_text, options, group, context.with_resource)
        folder = _folder(network_text, out)
        check_device(request.plan.device)
        config = request.plan.as_json()
        folder.check(config, {option.name: option.opts[-1] for option in context.command.params if option.name})
        result = folder.read_result()
        if result is not None:
            console.print(
                f"The training in {folder.path} is finished; this is what it gave.", highlight=False, soft_wrap=True
            )
        else:
            with (
                folder.opened(config, group),
                TrainingProgress(console, config["n_epochs"]) as progress,
                interruptible(progress) as on_step,
            ):
                training = FinalTraining(
                    plan=request.plan,
                    choice=request.choice,
                    folder=folder,
                    group=group,
                    on_step=on_step,
                    seconds_between_checkpoints=checkpoint_every,
                    n_workers=n_workers,
                )
                _announce(console, request.plan, request.choice.name, folder)
                result = folder.read_result() or training.run()  # another process may have finished it just now
    if group.is_first:
        if track:
            problem = track_network(network_text, folder, result["accuracies"])
            if problem is not None:
                console.print(problem, highlight=False, markup=False, soft_wrap=True)
        cost = _search_cost(network_text)
        places = {"folder": str(folder.path), "file": str(folder.network)}
        of_search = {} if cost is None else {"search": cost.as_json()}
        output.show(places | result | of_search, lambda: _print_result(folder, result, cost))


def _announce(console: Console, plan: TrainingPlan, name: str, folder: TrainingFolder) -> None:
    state = "goes on" if folder.checkpoint.exists() else "begins"
    console.print(
        f"The training in {folder.path} {state}: {name} on {plan.dataset} by the recipe {plan.recipe}, "
        f"{plan.training.n_epochs} epochs on {plan.device}.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _folder(text: str, out: Path | None) -> TrainingFolder:
    if out is not None:
        return TrainingFolder(out)
    if not RunFolder(Path(text)).holds_run():
        raise BadInput(f"{text} is no folder of a search, in which its network could lie: name a folder with --out")
    return TrainingFolder(Path(text) / NETWORK_FOLDER)


def _search_cost(text: str) -> SearchCost | None:
    """What the search of a RUN has cost; None for another network."""
    run = RunFolder(Path(text))
    search = run.read_result() if run.holds_run() else None
    return None if search is None else SearchCost.of(search)


def _print_result(folder: TrainingFolder, result: dict[str, Any], cost: SearchCost | None) -> None:
    click.echo(f"\nTest accuracy {result['accuracy']:.4f}: {result['network']}\n")
    config = result["config"]
    click.echo(
        f"{result['n_parameters']:,} parameters, trained on {result['n_examples']:,} examples of {config['dataset']} "
        f"in {result['seconds']:,.0f} s.\n"
    )
    if cost is not None:
        click.echo("With the cost of the search in examples, as in table 3 of the paper:\n")
        print_table(Console(), cifar_table(result, cost))
        click.echo()
    places = {"network": str(folder.network), "result": str(folder.result)}
    model = logged_model(folder)
    if model is not None:
        places["MLflow"] = f"mlflow.pyfunc.load_model({model!r})"
    places |= {f"{name} it": f"pnas-tools {name} {shlex.quote(str(folder.path))}" for name in ("evaluate", "export")}
    click.echo(listed(places))
