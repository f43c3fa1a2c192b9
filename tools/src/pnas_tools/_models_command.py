import json
from pathlib import Path
from typing import Any

import click

from pnas_tools._errors import BadInput
from pnas_tools._export_command import export_command
from pnas_tools._network_options import CLASSES, PIXELS, chosen_network, network_options
from pnas_tools._output import Output, output_options
from pnas_tools._output_file import OutputFile
from pnas_tools._parameter_types import POSITIVE, OneOf
from pnas_tools._refusing import refusing

# pnas_models imports torch, which takes seconds: every command imports it when it runs.

_SOURCES = ("tensorflow", "timm", "cadene", "pnas")
_PATH = click.Path(path_type=Path)


@click.group("models", epilog="Example: pnas-tools models info pnasnet5_mobile")
def models_command() -> None:
    """List, convert, export and use networks, such as PNASNet-5 with its weights.

    A NAME is one that `pnas-tools models list` prints. A CELL is the short form that searches print, such as
    sep_conv_5x5@-2+identity@-1,max_pool_3x3@0+identity@0, or JSON such as [[-2, "sep_conv_5x5", -1, "identity"]]. A
    FILE holds weights: a .safetensors or .pth file, or a checkpoint of TensorFlow. A FOLDER is that of a search or a
    training, and stands for the network that `pnas-tools train` has trained there.
    """


@models_command.command("list", epilog="Example: pnas-tools models list --json")
@output_options
def list_command(output: Output) -> None:
    """Print the networks that have a name, and their published weights."""
    from pnas_tools._model_info import list_info
    from pnas_tools._model_text import print_list

    models = list_info()
    output.show(models, lambda: print_list(models))


@models_command.command("info", epilog="Example: pnas-tools models info pnasnet5_mobile --image-size 331")
@click.argument("network_text", metavar="NAME|CELL|FILE|FOLDER")
@click.option(
    "--image-size", type=PIXELS, help="Of the image to count multiply-adds for.  [default: the network's own]"
)
@network_options
@output_options
@click.pass_context
def info_command(
    context: click.Context, /, network_text: str, image_size: int | None, output: Output, **options: Any
) -> None:
    """Print a network's size, its maps, and where its published weights are."""
    from pnas_tools._model_info import network_info
    from pnas_tools._model_text import print_info

    with refusing():
        info = network_info(chosen_network(context, network_text, options), image_size)
    output.show(info, lambda: print_info(info))


@models_command.command("convert", epilog="Example: pnas-tools models convert model.ckpt model.safetensors --to timm")
@click.argument("source_path", metavar="SRC", type=_PATH)
@click.argument("target_path", metavar="DST", type=OutputFile(".safetensors"))
@click.option(
    "--to",
    "target",
    type=OneOf(["pnas", "timm"]),
    default="pnas",
    show_default=True,
    help="Whose names DST has.",
)
@click.option("--from", "source", type=OneOf(_SOURCES), help="Who wrote SRC.  [default: as its names tell]")
@click.option("--model", metavar="NAME", help="The network of SRC.  [default: as its classifier tells]")
@click.option("--classes", "num_classes", type=CLASSES, help="1000 of 1001 drops the background.  [default: as SRC]")
@click.option("--auxiliary", is_flag=True, help="Keep the auxiliary head, too.")
@click.option("--image-size", type=PIXELS, help="Of the images for the head.  [default: the network's own]")
@output_options
@click.pass_context
def convert_command(
    context: click.Context,
    /,
    source_path: Path,
    target_path: Path,
    target: Any,
    source: Any,
    model: str | None,
    num_classes: int | None,
    auxiliary: bool,
    image_size: int | None,
    output: Output,
) -> None:
    """Write the weights in SRC as the .safetensors file DST; nothing is downloaded.

    SRC is a .safetensors or .pth file, or a checkpoint of TensorFlow: its prefix, one of its files, its folder, or the
    .tar.gz as published. A DST that is there is replaced.
    """
    if image_size is not None and not auxiliary:
        raise BadInput("--image-size is of the auxiliary head, and needs --auxiliary")
    if auxiliary and target == "timm":
        raise BadInput("timm's networks have no auxiliary head: leave out --auxiliary, or --to timm")

    from pnas_models import (
        count_parameters,
        empty_network,
        fill_network,
        open_weights,
        save_weights,
        timm_state_dict,
    )
    from pnas_tools._model_text import print_conversion

    with refusing():
        file = context.with_resource(open_weights(source_path, source))
        network = empty_network(file, model=model, num_classes=num_classes, auxiliary=auxiliary, image_size=image_size)
        fill_network(network, file)
        save_weights(network, target_path, target)
        n_tensors = len(timm_state_dict(network) if target == "timm" else network.state_dict())
    converted = {
        "model": model or file.model,
        "network": network.config["network"],
        "source": file.source,
        "source_classes": file.num_classes,
        "drops_auxiliary": file.has_auxiliary and not auxiliary,
        "file": str(target_path),
        "target": target,
        "num_classes": network.num_classes,
        "n_tensors": n_tensors,
        "n_parameters": count_parameters(network),
    }
    output.show(converted, lambda: print_conversion(source_path, converted))


models_command.add_command(export_command)


@models_command.command("classify", epilog="Example: pnas-tools models classify pnasnet5_mobile cat.jpg dog.png")
@click.argument("model", metavar="NAME")
@click.argument("paths", metavar="IMAGE…", type=_PATH, nargs=-1, required=True)
@click.option(
    "--weights",
    "weights_text",
    metavar="NAME|FILE",
    default="DEFAULT",
    show_default=True,
    help="Published weights, which are downloaded once, or a file.",
)
@click.option("--from", "source", type=OneOf(_SOURCES), help="Who wrote the file.  [default: as its names tell]")
@click.option("--top", "n_top", type=POSITIVE, default=5, show_default=True, help="How many classes to print.")
@output_options
@click.pass_context
def classify_command(
    context: click.Context,
    /,
    model: str,
    paths: tuple[Path, ...],
    weights_text: str,
    source: Any,
    n_top: int,
    output: Output,
) -> None:
    """Print the most probable of ImageNet's 1000 classes for each IMAGE.

    Images that cannot be read are named at the end, with exit code 2, and do not keep the others from being classified.
    """
    from pnas_tools._classification import Classification
    from pnas_tools._model_text import print_classes

    with refusing():
        task = Classification(model, paths, weights_text, source, context.with_resource)
        results = task.results(n_top)
        if output.as_json:
            click.echo(json.dumps(list(results)))
        else:
            for result in results:  # as soon as it is there
                print_classes(result)
    if task.unreadable:
        reasons = ", ".join(f"{path} ({reason})" for path, reason in task.unreadable)
        raise BadInput(f"{len(task.unreadable)} of {len(paths)} images could not be read: {reasons}")
