"""What a comparison's strategies are configured with, each with what is its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._options import flag, resolve_config
from pnas_tools._strategy_names import OWNERS, STRATEGIES

# As in the paper: of its strategies, NAS alone trains its best models again.
_OWNERS = {**OWNERS, "n_reranked": ("reinforce",), "rerank_fidelity": ("reinforce",)}


def resolve_configs(
    context: click.Context, preset: str, options: Mapping[str, Any], strategies: Sequence[str]
) -> list[SearchConfig]:
    """For every strategy the config that `pnas-tools search` resolves what is given to, without what is others' own.

    Raises:
        BadInput: something is none of these strategies' own, or contradicts the rest.
    """
    for name, owners in _OWNERS.items():
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and not set(owners) & set(strategies):
            raise BadInput(
                f"{flag(name)} is for {' or '.join(owners)}, and --strategies names {', '.join(strategies)}: "
                "leave it out"
            )
    return [resolve_config(context, preset, _options_of(strategy, options)) for strategy in strategies]


def _options_of(strategy: str, options: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in options.items() if strategy in _OWNERS.get(name, STRATEGIES)}
    return {**own, "strategy": strategy}
