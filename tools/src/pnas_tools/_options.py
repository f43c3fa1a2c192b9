import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from pnas_tools._config import OPTION, PRESETS, SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import BenchmarkName

F = TypeVar("F", bound=Callable[..., Any])


def config_options(command: F) -> F:
    """Give a command one option for every setting of a search; unset ones stay None, for the preset to fill in."""
    for field in reversed(dataclasses.fields(SearchConfig)):
        flag, kind, help_text = field.metadata[OPTION]
        command = click.option(flag, field.name, type=kind, help=f"{help_text}  [{_preset_values(field.name)}]")(
            command
        )
    return command


def resolve_config(context: click.Context, preset: str, options: dict[str, Any]) -> SearchConfig:
    """The preset with what was given on the command line in its place.

    Raises:
        BadInput: what was given contradicts how a benchmark's networks were trained.
    """
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    config = dataclasses.replace(PRESETS[preset], **given)
    benchmark = BenchmarkName.of(config.evaluator)
    return config if benchmark is None else _as_made(config, benchmark, set(given))


def _as_made(config: SearchConfig, name: BenchmarkName, given: set[str]) -> SearchConfig:
    """The config with the settings that a benchmark's networks were trained with."""
    benchmark = name.load()
    training = benchmark.about["config"]
    if config.n_blocks > benchmark.n_blocks:
        raise BadInput(
            f"--blocks {config.n_blocks} is more than the {benchmark.n_blocks} blocks of the largest cells of "
            f"{benchmark.name}: pass as many or fewer, or leave out --evaluator"
        )
    for field in dataclasses.fields(SearchConfig):
        if field.name in given and field.name in training and getattr(config, field.name) != training[field.name]:
            raise BadInput(
                f"{field.metadata[OPTION][0]} was {_shown(training[field.name])} for the networks of {benchmark.name}, "
                f"and cannot be {_shown(getattr(config, field.name))}: leave it out, or leave out --evaluator"
            )
    return dataclasses.replace(config, **training)


def _preset_values(name: str) -> str:
    values = {preset: getattr(config, name) for preset, config in PRESETS.items()}
    if len(set(values.values())) == 1:
        return f"default: {_shown(next(iter(values.values())))}"
    return ", ".join(f"{preset}: {_shown(value)}" for preset, value in values.items())


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "all eight"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
