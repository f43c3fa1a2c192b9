import shlex
from pathlib import Path
from typing import Any

import click

from pnas_search import LedgerError
from pnas_tools._errors import BadInput
from pnas_tools._output import Output, listed, output_options
from pnas_tools._output_file import OutputFile
from pnas_tools._run_folder import RunFolder

_PAGE = OutputFile(".html", ".htm")


@click.command("report", epilog="Example: pnas-tools report runs/small -o report.html")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=_PAGE,
    help="The .html file to write; one that is there is replaced.  [default: report.html in the folder]",
)
@output_options
@click.pass_context
def report_command(context: click.Context, /, run: Path, out: Path | None, output: Output) -> None:
    """Write what the search in the folder RUN did as one page, which needs no network, to look into.

    It shows the best cells, which cell was expanded into which, how right the surrogate was, how soon good cells were
    found, what they cost, what failed, and every child in a table. A search need not be finished.
    """
    folder = RunFolder(run)
    file = out or folder.report
    if out is None and run.is_dir():  # what an option names has been checked
        _PAGE.convert(file, None, context)

    from pnas_tools._report._write import write_report

    try:
        n_children = write_report(folder, file)
    except LedgerError as error:
        raise BadInput(str(error)) from error
    n_bytes = file.stat().st_size
    result = {"file": str(file), "n_bytes": n_bytes, "n_children": n_children}
    output.show(result, lambda: _print(run, result))


def _print(run: Path, result: dict[str, Any]) -> None:
    click.echo(f"wrote {result['file']}: {result['n_children']:,} children, {result['n_bytes'] / 1e6:.1f} MB\n")
    name = shlex.quote(str(run))
    places = {
        "look at it": Path(result["file"]).absolute().as_uri(),
        "draw it": f"pnas-tools show {name} -o network.svg",
        "train it": f"pnas-tools train {name}",
    }
    click.echo(listed(places))
