import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from pnas_searchspace import PNAS_OPERATIONS, Cell, CellPairSpace, CellSpace, SearchSpaceError
from pnas_tools._errors import BadInput
from pnas_tools._parameter_types import POSITIVE, SEED, CellText

F = TypeVar("F", bound=Callable[..., Any])


@click.group("space")
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
            metavar="NAME,…",
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
    type=click.Choice(["nothing", "commutativity", "isomorphism"]),
    default="isomorphism",
    show_default=True,
    help="What makes two encodings one cell: nothing, swapping operands, or relabelling blocks too.",
)
@click.option("--pairs", is_flag=True, help="Count pairs of a normal and a reduction cell.")
@_space_options
def count_command(n_blocks: int, up_to: Any, pairs: bool, operations: str, n_cell_inputs: int) -> None:
    """Print how many cells there are, as one integer."""
    space = _space(operations, n_cell_inputs)
    sys.set_int_max_str_digits(0)
    click.echo((CellPairSpace(space) if pairs else space).count(n_blocks, up_to))


@space_command.command("sample", epilog="Example: pnas-tools space sample --blocks 5 --size 3 --seed 0")
@_blocks_option
@click.option("--size", type=click.IntRange(min=0), default=1, show_default=True, help="How many cells.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="The same seed draws the same cells.")
@_text_option
@_space_options
def sample_command(n_blocks: int, size: int, seed: int, text: bool, operations: str, n_cell_inputs: int) -> None:
    """Print cells drawn uniformly, each cell up to isomorphism being equally likely, one a line."""
    space = _space(operations, n_cell_inputs)
    _print_cells(space.to_cells(space.sample(n_blocks, size, seed)), text)


@space_command.command("neighbors", epilog="Example: pnas-tools space neighbors identity@-2+max_pool_3x3@-1 --text")
@click.argument("cell", type=CellText())
@_text_option
@_space_options
def neighbors_command(cell: Cell, text: bool, operations: str, n_cell_inputs: int) -> None:
    """Print the cells that differ from CELL by one input or one operation, one a line."""
    space = _space(operations, n_cell_inputs)
    try:
        neighbors = space.neighbors(cell)
    except SearchSpaceError as error:
        raise BadInput(str(error)) from error
    _print_cells(space.to_cells(neighbors), text)


@space_command.command("canonical", epilog="Example: pnas-tools space canonical max_pool_3x3@-1+identity@-2")
@click.argument("cell", type=CellText())
@_text_option
def canonical_command(cell: Cell, text: bool) -> None:
    """Print the canonical form of CELL, which all encodings of one network share."""
    _print_cells([cell.canonical()], text)


def _space(operations: str, n_cell_inputs: int) -> CellSpace:
    try:
        return CellSpace(operations.split(","), n_cell_inputs)
    except SearchSpaceError as error:
        raise BadInput(str(error)) from error


def _print_cells(cells: Iterable[Cell], text: bool) -> None:
    for cell in cells:
        click.echo(str(cell) if text else cell.to_json())
