"""A network on a command line: its argument is a NAME, a CELL, a FILE or a FOLDER, and these are its options."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pnas_tools._parameter_types import IntegerRange, OneOf
from pnas_tools._training._folder import trained_file

if TYPE_CHECKING:  # it imports torch, which takes seconds
    from pnas_tools._network_choice import NetworkChoice

F = TypeVar("F", bound=Callable[..., Any])

PIXELS = IntegerRange(3, 4096)
"""Sides of images: larger than anybody needs, and smaller than what overflows."""

CLASSES = IntegerRange(1, 1_000_000)
_FILTERS = IntegerRange(1, 10_000)
_REPEATS = IntegerRange(1, 1000)


def network_options(command: F) -> F:
    """Give a command the options of the network around a CELL, and of its classifier."""
    for option in (
        click.option(
            "--classes", "num_classes", type=CLASSES, help="Outputs of the classifier.  [default: the network's own]"
        ),
        click.option("--stem-filters", type=_FILTERS, help="Of the first convolution for ImageNet.  [default: 32]"),
        click.option("--repeats", "n_repeats", type=_REPEATS, help="Of a CELL in each stage, N.  [default: 3]"),
        click.option(
            "--filters",
            "n_filters",
            type=_FILTERS,
            help="Of a CELL in the first stage, F.  [default: cifar 48, imagenet 54]",
        ),
        click.option("--network", type=OneOf(["cifar", "imagenet"]), help="What a CELL is put into.  [default: cifar]"),
    ):
        command = option(command)
    return command


def chosen_network(context: click.Context, text: str, options: dict[str, Any]) -> "NetworkChoice":
    """The network that a text and these options ask for.

    Raises:
        BadInput: it is the folder of something that is not trained to its end.
        ModelError: there is no such network.
    """
    from pnas_tools._network_choice import choose_network

    return choose_network(trained_file(text), options, context.with_resource)
