"""The weights that are published for a network of the zoo, and their files."""

import sys
from collections.abc import Mapping
from pathlib import Path

from pnas_models import ModelError, Weights, fetch_weights, published_weights
from pnas_tools._errors import Failed, Interrupted


def weights_by_name(model: str) -> Mapping[str, Weights]:
    """The published weights of a network of the zoo by their names, DEFAULT too; empty where there are none."""
    published = published_weights(model)
    return {name: member.value for name, member in type(published[0]).__members__.items()} if published else {}


def fetched(weights: Weights) -> Path:
    """The file on this machine, downloaded unless it is here."""
    try:
        return fetch_weights(weights, progress=sys.stderr.isatty())
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted; the same command goes on where the download stopped") from error
    except ModelError as error:
        raise Failed(str(error)) from error
