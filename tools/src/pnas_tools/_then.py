"""What follows a search in the same command: the final training of its best cell, and the ONNX file of that."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._output import Output
from pnas_tools._output_file import FOLDER_TO_COME
from pnas_tools._training._folder import NETWORK_FOLDER, TrainingFolder

_COMMANDS = {"train": "pnas_tools._train_command", "export": "pnas_tools._export_command"}
# The search says how results are printed; its network lies in its folder, and has its cell and weights.
_NOT_OF_STEPS = {
    "train": ("as_json", "is_quiet", "out"),
    "export": ("as_json", "is_quiet", "network", "n_filters", "n_repeats", "stem_filters", "weights_text"),
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One of these commands with its options, as in `train --epochs 60`; the run is what it works on."""

    name: str
    options: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join([self.name, *self.options])

    def context(self, run: Path, output: Output | None = None) -> click.Context:
        """The command with its options parsed; it prints as the output says.

        Raises:
            click.UsageError: they are not the command's.
        """
        around = click.Context(self._command())
        around.meta[FOLDER_TO_COME] = run.absolute()
        return self._command().make_context(self.name, [str(run), *self.options], parent=around, obj=output)

    def work_on(self, run: Path, *, is_tracked: bool, output: Output) -> None:
        """Run the command on what is in the folder by now."""
        with self.context(run, output) as context:
            if self.name == "train" and not _given(context, "track"):
                context.params["track"] = is_tracked
            self._command().invoke(context)

    def _command(self) -> click.Command:
        command: click.Command = getattr(import_module(_COMMANDS[self.name]), f"{self.name}_command")
        return command


class StepText(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """A step, from the text of its command without the run."""

    name = "COMMAND"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Step:
        try:
            name, *options = shlex.split(value) or [""]
        except ValueError as error:
            self.fail(f"{value!r} cannot be taken apart into words ({error})", param, ctx)
        if name not in _COMMANDS:
            self.fail(f"expected train or export, each with options or without, not {value!r}", param, ctx)
        return Step(name=name, options=tuple(options))


def check_steps(steps: Sequence[Step], run: Path, config: SearchConfig) -> None:
    """Raise `BadInput` where a step could not be done after a search of this config, as far as can be known before."""
    names = [step.name for step in steps]
    if names.count("train") > 1:
        raise BadInput("--then train is given twice, and a search has one network: leave out one of them")
    is_trained = TrainingFolder(run / NETWORK_FOLDER).network.is_file()
    if "export" in names and "train" not in names[: names.index("export")] and not is_trained:
        raise BadInput("--then export writes what --then train has trained: pass that before it")
    for step in steps:
        try:
            with step.context(run) as context:
                _check(step, context, config)
        except click.ClickException as error:
            raise BadInput(f"--then {str(step)!r}: {error.format_message()}") from error


def _check(step: Step, context: click.Context, config: SearchConfig) -> None:
    for name in _NOT_OF_STEPS[step.name]:
        if _given(context, name):
            option = next(parameter.opts[-1] for parameter in context.command.params if parameter.name == name)
            raise BadInput(f"{option} is not for what was searched for, or is the search's to say: leave it out")
    if step.name == "train":
        _check_training(context, config)


def _check_training(context: click.Context, config: SearchConfig) -> None:
    from pnas_tools._devices import check_device
    from pnas_tools._refusing import refusing
    from pnas_tools._training._request import Request

    with refusing():
        check_device(Request.after_search(config.as_json(), context.params, context.with_resource).plan.device)


def _given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT
