from pathlib import Path
from typing import Any

import click

from pnas_tools._network_options import PIXELS, chosen_network, network_options
from pnas_tools._output import Output, output_options
from pnas_tools._output_file import OutputFile
from pnas_tools._parameter_types import SEED
from pnas_tools._refusing import refusing

# pnas_models imports torch, which takes seconds: the command imports it when it runs.

_ONNX = OutputFile(".onnx")


@click.command("export", epilog="Example: pnas-tools export runs/small")
@click.argument("network_text", metavar="RUN|FOLDER|FILE|NAME|CELL")
@click.option(
    "-o",
    "--onnx",
    "path",
    type=_ONNX,
    help="The file to write; one that is there is replaced.  [default: network.onnx beside the weights, or here]",
)
@click.option("--weights", "weights_text", metavar="NAME|FILE", help="Published weights, or a file.  [default: random]")
@click.option("--image-size", type=PIXELS, help="Of the image to check it with.  [default: the network's own]")
@click.option("--fuse/--no-fuse", default=True, show_default=True, help="Fold batch norms into convolutions.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="The same seed draws the same random weights.")
@network_options
@output_options
@click.pass_context
def export_command(
    context: click.Context,
    /,
    network_text: str,
    path: Path | None,
    weights_text: str | None,
    image_size: int | None,
    fuse: bool,
    seed: int,
    output: Output,
    **options: Any,
) -> None:
    """Write a network as an ONNX file, and check it.

    A RUN, or the FOLDER of a training, stands for the network that `pnas-tools train` has trained there; a FILE has
    weights, and NAME and CELL have random ones unless --weights gives others.

    The ONNX file takes images (N, channels, height, width) of any number and size, and gives logits (N, classes). Where
    onnxruntime is installed, its logits are compared with PyTorch's, and the file is kept only if they agree.
    """
    import torch

    from pnas_tools._model_text import print_export
    from pnas_tools._network_choice import with_weights
    from pnas_tools._onnx_file import write_onnx

    with refusing():
        choice = chosen_network(context, network_text, options)
        if path is None:
            beside = choice.file.path.parent if choice.file else Path()
            path = _ONNX.convert(beside / "network.onnx", None, context)
        if weights_text is not None:
            choice = with_weights(choice, weights_text, options["num_classes"], context.with_resource)
        torch.manual_seed(seed)
        network = choice.network()
        size = image_size or choice.image_size
        difference = write_onnx(network, path, size, fused=fuse)
    exported = {
        "file": str(path),
        "name": choice.name,
        "weights": str(choice.file.path) if choice.file else None,
        "seed": None if choice.file else seed,
        "num_classes": network.num_classes,
        "image_size": size,
        "difference": difference,
    }
    output.show(exported, lambda: print_export(exported))
