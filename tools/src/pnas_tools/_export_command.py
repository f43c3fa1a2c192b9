from pathlib import Path
from typing import Any

import click

from pnas_tools._models_command import export_command as models_export
from pnas_tools._output_file import OutputFile
from pnas_tools._training._folder import TrainingFolder, trained_file

_ONNX = OutputFile(".onnx")
_OPTIONS = [parameter for parameter in models_export.params if parameter.name not in ("network_text", "path")]


@click.command(
    "export",
    params=[
        click.Argument(["network_text"], metavar="RUN|FOLDER|FILE|NAME|CELL"),
        click.Option(
            ["--onnx", "path"],
            type=_ONNX,
            help="The file to write; one that is there is replaced.  [default: network.onnx beside the weights]",
        ),
        *_OPTIONS,
    ],
    epilog="Example: pnas-tools export runs/small",
)
@click.pass_context
def export_command(context: click.Context, /, network_text: str, path: Path | None, **options: Any) -> None:
    """Write a network as an ONNX file, and check it.

    A RUN, or the FOLDER of a training, stands for the network that `pnas-tools train` has trained there. The rest is
    `pnas-tools models export`.
    """
    if path is None:
        beside = TrainingFolder(Path(trained_file(network_text)).parent).onnx
        path = _ONNX.convert(beside, None, context)
    context.invoke(models_export, network_text=network_text, path=path, **options)
