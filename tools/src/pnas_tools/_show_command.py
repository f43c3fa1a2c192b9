import shlex
from pathlib import Path
from typing import Any

import click

from pnas_tools._drawing import to_png, to_svg
from pnas_tools._files import write_atomically
from pnas_tools._network_options import PIXELS
from pnas_tools._output import Output, listed, output_options
from pnas_tools._output_file import OutputFile
from pnas_tools._parameter_types import POSITIVE, OneOf
from pnas_tools._run_folder import RunFolder
from pnas_tools._shown import Shown, shown
from pnas_tools._terminal import sketch


@click.command("show", epilog="Example: pnas-tools show pnasnet5_mobile -o mobile.svg")
@click.argument("text", metavar="CELL|NETWORK|RUN")
@click.option("-o", "--out", type=OutputFile(".svg", ".png"), help="The .svg or .png to write.  [default: text]")
@click.option("--network", type=OneOf(["cifar", "imagenet"]), help="Show the network around a CELL, too.")
@click.option("--filters", "n_filters", type=POSITIVE, help="Of that network, F.  [default: cifar 48, imagenet 54]")
@click.option("--repeats", "n_repeats", type=POSITIVE, help="Of that network, N.  [default: 3]")
@click.option("--image-size", type=PIXELS, help="For the sizes of maps.  [default: the network's own]")
@output_options
@click.pass_context
def show_command(
    context: click.Context, /, text: str, out: Path | None, image_size: int | None, output: Output, **options: Any
) -> None:
    """Draw a cell, and the network of stacked cells around it, as in figure 1 of the paper.

    A CELL is the short form that searches print, or JSON. A NETWORK is a name that `pnas-tools models list` prints, or
    a file of weights. A RUN is the folder of a search: its best cell so far, in the network it was trained in.
    """
    found = shown(text, options, image_size, context.with_resource)
    if out is not None:
        write_atomically(out, to_png(found.scene()) if out.suffix.lower() == ".png" else to_svg(found.scene()).encode())
    output.show(
        found.as_json() | {"file": None if out is None else str(out)},
        lambda: _print(found) if out is None else _print_file(text, out, found),
    )


def _print_file(text: str, out: Path, found: Shown) -> None:
    click.echo(f"wrote {out}: {found.name}")
    if RunFolder(Path(text)).holds_run():
        name = shlex.quote(text)
        click.echo("\n" + listed({"report": f"pnas-tools report {name}", "train it": f"pnas-tools train {name}"}))


def _print(found: Shown) -> None:
    for drawn in found.cells:
        click.echo(f"{drawn.name}\n\n{sketch(drawn.cell)}\n\n  {drawn.cell}")
        if drawn.concat != tuple(range(len(drawn.cell))):
            click.echo(f"  concatenated: {', '.join(map(str, drawn.concat))}")
    if found.stages:
        click.echo(f"\n{found.name}\n")
    for stage in reversed(found.stages):
        times = f"× {stage.n_repeats}" if stage.n_repeats > 1 else ""
        click.echo(f"  {times:>4}  {stage.label:<24}  {stage.note}".rstrip())
