import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeVar, get_args

import click
import numpy as np

from pnas_searchspace import PNAS_OPERATIONS, Cell, CellPairSpace, CellSpace, SearchSpaceError, Symmetry
from pnas_tools._errors import BadInput
from pnas_tools._output import Output, output_options
from pnas_tools._parameter_types import POSITIVE, SEED, CellText, IntegerRange, Names, OneOf

F = TypeVar("F", bound=Callable[..., Any])

_BATCH = 10_000  # cells that are drawn and printed at once


@click.group("space", epilog="Example: pnas-tools space count --blocks 5")
def space_command() -> None:
    """Count, sample and vary cells, exactly and up to isomorphism.

    A CELL is the short form that searches print, such as sep_conv_5x5@-2+identity@-1,max_pool_3x3@0+identity@0, or JSON
    such as [[-2, "sep_conv_5x5", -1, "identity"]].
    """


def _space_options(command: F) -> F:
    for option in (
        click.option(
            "--inputs", "n_cell_inputs", type=POSITIVE, default=2, show_default=True, help="Earlier cells a cell reads."
        ),
        click.option(
            "--operations",
            type=Names("operation"),
            default=",".join(PNAS_OPERATIONS),
            help="Any names.  [default: the paper's]",
        ),
    ):
        command = option(command)
    return command


_blocks_option = click.option("--blocks", "n_blocks", type=POSITIVE, required=True, help="Blocks of a cell.")
_text_option = click.option("--text", is_flag=True, help="Print short forms instead of JSON.")


@space_command.command("count", epilog="Example: pnas-tools space count --blocks 5 --up-to isomorphism")
@_blocks_option
@click.option(
    "--up-to",
    type=OneOf(get_args(Symmetry)),
    default="isomorphism",
    show_default=True,
    help="What makes two encodings one cell: nothing, swapping operands, or relabelling blocks too.",
)
@click.option("--pairs", is_flag=True, help="Count pairs of a normal and a reduction cell.")
@_space_options
@output_options
def count_command(
    n_blocks: int, up_to: Any, pairs: bool, operations: Sequence[str], n_cell_inputs: int, output: Output
) -> None:
    """Print how many cells there are, as one integer."""
    with _refusing():
        space = CellSpace(operations, n_cell_inputs)
    with _any_digits():
        count = (CellPairSpace(space) if pairs else space).count(n_blocks, up_to)
        output.show({"count": count}, lambda: click.echo(str(count)))


@space_command.command("sample", epilog="Example: pnas-tools space sample --blocks 5 --size 3 --seed 0")
@_blocks_option
@click.option("--size", type=IntegerRange(min=0), default=1, show_default=True, help="How many cells.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="The same seed draws the same cells.")
@_text_option
@_space_options
@output_options
def sample_command(
    n_blocks: int, size: int, seed: int, text: bool, operations: Sequence[str], n_cell_inputs: int, output: Output
) -> None:
    """Print cells drawn uniformly, each cell up to isomorphism being equally likely, one a line."""
    with _refusing():
        space = CellSpace(operations, n_cell_inputs)
        rng = np.random.default_rng(seed)
        sizes = (min(_BATCH, size - start) for start in range(0, size, _BATCH))
        batches = (space.to_cells(space.sample(n_blocks, n, rng)) for n in sizes)
        _show_cells(chain.from_iterable(batches), text, output)


@space_command.command("neighbors", epilog="Example: pnas-tools space neighbors identity@-2+max_pool_3x3@-1 --text")
@click.argument("cell", type=CellText())
@_text_option
@_space_options
@output_options
def neighbors_command(cell: Cell, text: bool, operations: Sequence[str], n_cell_inputs: int, output: Output) -> None:
    """Print the cells that differ from CELL by one input or one operation, one a line."""
    with _refusing():
        space = CellSpace(operations, n_cell_inputs)
        _show_cells(space.to_cells(space.neighbors(cell)), text, output)


@space_command.command("canonical", epilog="Example: pnas-tools space canonical max_pool_3x3@-1+identity@-2")
@click.argument("cell", type=CellText())
@_text_option
@output_options
def canonical_command(cell: Cell, text: bool, output: Output) -> None:
    """Print the canonical form of CELL, which all encodings of one network share."""
    canonical = cell.canonical()
    output.show(canonical, lambda: click.echo(_shown(canonical, text)))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except SearchSpaceError as error:
        raise BadInput(str(error)) from error


@contextmanager
def _any_digits() -> Iterator[None]:
    """Numbers are written that have more digits than Python writes by itself."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(limit)


def _show_cells(cells: Iterable[Cell], text: bool, output: Output) -> None:
    """One a line as they come, or as JSON all in one list."""
    if output.as_json:
        click.echo(json.dumps(list(cells)))
        return
    for cell in cells:
        click.echo(_shown(cell, text))


def _shown(cell: Cell, text: bool) -> str:
    return str(cell) if text else cell.to_json()
