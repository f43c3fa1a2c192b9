import shlex
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from pnas_tools._network_options import PIXELS
from pnas_tools._output import Output, listed, output_options, print_table
from pnas_tools._parameter_types import POSITIVE, Device, IntegerRange
from pnas_tools._refusing import refusing
from pnas_tools._training._folder import trained_file

# pnas_models and pnas_trainer import torch, which takes seconds: the command imports them when it runs.


@click.command("evaluate", epilog="Example: pnas-tools evaluate pnasnet5_mobile --dataset imagenet/val")
@click.argument("network_text", metavar="RUN|FOLDER|FILE|NAME")
@click.option(
    "--dataset",
    metavar="NAME|FOLDER",
    help="digits, cifar10, cifar100, fashion_mnist, an .npz file, or a folder with one folder for each class, or with "
    "such in test or val.  [default: what it was trained on]",
)
@click.option("--weights", "weights_text", metavar="NAME|FILE", help="Of a NAME.  [default: those published]")
@click.option("--image-size", type=PIXELS, help="Of a folder's images, once resized.  [default: the weights']")
@click.option("--batch-size", type=POSITIVE, default=100, show_default=True, help="Images at a time.")
@click.option("--device", type=Device(), default="cpu", show_default=True, help="What to compute on.")
@click.option(
    "--workers", "n_workers", type=IntegerRange(0), help="That decode a folder's images.  [default: one per core]"
)
@output_options
@click.pass_context
def evaluate_command(context: click.Context, /, network_text: str, device: str, output: Output, **options: Any) -> None:
    """Measure how often a network is right, with its images prepared as its weights expect it.

    A RUN, or the FOLDER of a training, stands for the network that `pnas-tools train` has trained there. A FILE holds
    weights; a NAME is one of `pnas-tools models list`, whose weights are downloaded once. The classes of a FOLDER of
    images are its folders in alphabetical order, as ImageNet's are in that of their wnids.
    """
    file = trained_file(network_text)

    from pnas_models import count_multiply_adds, count_parameters
    from pnas_tools._devices import check_device
    from pnas_tools._evaluation._accuracy import measure
    from pnas_tools._evaluation._request import Request

    with refusing():
        check_device(device)
        request = Request.of_options(file, options, context.with_resource)
        images = request.images
        batches = track(
            images.batches,
            description="images",
            total=images.n_batches,
            console=output.meanwhile,
            transient=True,
            disable=not output.meanwhile.is_terminal,
        )
        network = request.choice.network()
        measured = measure(network, batches, device)
    result = {
        "network": request.choice.name,
        "dataset": request.dataset,
        "device": device,
        "n_parameters": count_parameters(network),
        "n_multiply_adds": count_multiply_adds(network, tuple(measured["image_size"])),
        **measured,
    }
    output.show(result, lambda: _print_result(network_text, result))


def _print_result(text: str, result: dict[str, Any]) -> None:
    from pnas_tools._evaluation._table import accuracy_table

    click.echo(f"{result['network']}\non {result['n_images']:,} images of {result['dataset']}\n")
    print_table(Console(), accuracy_table(result))
    speed = f"{result['images_per_second']:,.0f} images/s on {result['device']}"
    click.echo("\n" + listed({"speed": speed, "export it": f"pnas-tools export {shlex.quote(text)}"}))
