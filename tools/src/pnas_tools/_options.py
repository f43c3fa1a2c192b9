import dataclasses
import functools
import platform
from collections.abc import Callable, Set
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from pnas_tools._arithmetic import PORTABLE, can_be_portable
from pnas_tools._config import OPTION, PRESETS, SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._execution import EXECUTORS, Execution
from pnas_tools._parameter_types import DURATION, POSITIVE, OneOf
from pnas_tools._strategy_names import OWNERS

F = TypeVar("F", bound=Callable[..., Any])


def config_options(command: F) -> F:
    """Give a command one option for every setting of a search; unset ones stay None, for the preset to fill in."""
    for field in reversed(dataclasses.fields(SearchConfig)):
        flag, kind, help_text = field.metadata[OPTION]
        command = click.option(flag, field.name, type=kind, help=f"{help_text}  [{_preset_values(field.name)}]")(
            command
        )
    return command


def execution_options(command: F) -> F:
    """Give a command the options of where children are trained, which it gets as one argument, `execution`."""
    options = (
        click.option(
            "--executor",
            type=OneOf(EXECUTORS),
            default="processes",
            show_default=True,
            help="Where children are trained: in this process, in others, or on a Ray cluster.",
        ),
        click.option(
            "--workers",
            "n_workers",
            type=POSITIVE,
            help="Children that are trained at a time.  [default: as cores or GPUs allow]",
        ),
        click.option(
            "--children-per-gpu", type=POSITIVE, default=1, show_default=True, help="Of those, how many share a GPU."
        ),
        click.option(
            "--child-timeout",
            "seconds_per_child",
            type=DURATION,
            help="What a child may take, such as 90s.  [default: no limit]",
        ),
    )

    @functools.wraps(command)
    def with_execution(*arguments: Any, **values: Any) -> Any:
        given = {field.name: values.pop(field.name) for field in dataclasses.fields(Execution)}
        return command(*arguments, execution=Execution(**given), **values)

    decorated: Any = with_execution
    for option in reversed(options):
        decorated = option(decorated)
    return cast(F, decorated)


def resolve_config(context: click.Context, preset: str, options: dict[str, Any]) -> SearchConfig:
    """The preset with what was given on the command line in its place.

    Raises:
        BadInput: what was given contradicts the machine, or how a benchmark's networks were trained.
    """
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    config = dataclasses.replace(PRESETS[preset], **given)
    if config.arithmetic == PORTABLE and not (can_be_portable() and config.device == "cpu"):
        raise BadInput(
            "--arithmetic portable is for x86 processors, and children would be trained on "
            f"{platform.machine() if config.device == 'cpu' else config.device}: leave it out"
        )
    check_strategy(config, set(given))
    benchmark = BenchmarkName.of(config.evaluator)
    return config if benchmark is None else on_benchmark(config, benchmark, set(given))


def check_strategy(config: SearchConfig, given: Set[str]) -> None:
    """Raise `BadInput` where something was given that says nothing to the strategy, or that contradicts the rest."""
    for name in sorted(given & set(OWNERS)):
        if config.strategy not in OWNERS[name]:
            raise BadInput(
                f"{flag(name)} is for --strategy {' or '.join(OWNERS[name])}, and this one is {config.strategy}: "
                "leave it out"
            )
    if "rerank_fidelity" in given and not config.n_reranked:
        raise BadInput("--rerank-fidelity is of what --rerank trains again, and that is nothing: pass it too")
    if config.n_reranked and BenchmarkName.of(config.evaluator) is not None:
        raise BadInput("--rerank trains for longer than the networks of a benchmark were: leave out one of the two")


def on_benchmark(config: SearchConfig, name: BenchmarkName, given: Set[str] = frozenset()) -> SearchConfig:
    """The config with what a benchmark decides: how networks were trained, and, unless given, what cells there are.

    Raises:
        BadInput: what was given contradicts the benchmark.
    """
    benchmark = name.load()
    training, operations = benchmark.about["config"], benchmark.interpolator.space.operations
    if unknown := sorted(set(training) - set(config.training())):
        raise BadInput(f"{name.name} was made by another version, with the setting {unknown[0]}: use that version")
    for field in sorted(given & set(config.training())):
        if field not in training or getattr(config, field) != training[field]:
            there = _shown(training[field]) if field in training else "not recorded"
            raise BadInput(
                f"{flag(field)} was {there} for the networks of {name.name}, "
                f"and cannot be {_shown(getattr(config, field))}: leave it out, or leave out --evaluator"
            )
    if "n_blocks" in given and config.n_blocks > benchmark.n_blocks:
        raise BadInput(
            f"--blocks {config.n_blocks} is more than the {benchmark.n_blocks} blocks of the largest cells of "
            f"{name.name}: pass as many or fewer, or leave out --evaluator"
        )
    if "operations" in given and (others := [one for one in config.operations if one not in operations]):
        raise BadInput(
            f"{name.name} has cells over {', '.join(operations)}, and --operations names {others[0]}: leave it out"
        )
    return dataclasses.replace(
        config,
        **training,
        n_blocks=min(config.n_blocks, benchmark.n_blocks),
        operations=config.operations if "operations" in given else tuple(operations),
    )


def flag(name: str) -> str:
    """The option of a setting."""
    return SearchConfig.flags()[name]


def _preset_values(name: str) -> str:
    values = {preset: getattr(config, name) for preset, config in PRESETS.items()}
    if len(set(values.values())) == 1:
        return f"default: {_shown(next(iter(values.values())))}"
    return ", ".join(f"{preset}: {_shown(value)}" for preset, value in values.items())


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "all eight"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
