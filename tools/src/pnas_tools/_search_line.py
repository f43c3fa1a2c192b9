"""A command line that goes on with a search, from its config."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

from pnas_search import Ledger, SearchError
from pnas_tools._config import OPTION, PRESETS, SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._options import on_benchmark
from pnas_tools._parameter_types import DURATION, IntegerPair, OrNone
from pnas_tools._run_folder import RunFolder


def search_line(config: SearchConfig, out: Path) -> str:
    """The shortest command line that searches by the config in the folder.

    Where children are trained, and what follows the search, is no matter of the config, and is left out.

    Raises:
        BadInput, SearchError: the config is of a benchmark that cannot be had.
    """
    lines = [shlex.join(_words(preset, config, out)) for preset in PRESETS]
    return min(lines, key=len)


def line_of_run(run: RunFolder, ledger: Ledger) -> str | None:
    """The command line that goes on with a run; None where its benchmark is not here, or a later version began it."""
    try:
        line = search_line(SearchConfig.from_json(ledger.config()), run.path)
    except (BadInput, SearchError):
        return None
    return line if run.tracking.exists() else f"{line} --no-track"


def _words(preset: str, config: SearchConfig, out: Path) -> list[str]:
    words = ["pnas-tools", "search", *([] if preset == next(iter(PRESETS)) else ["--preset", preset])]
    without = _resolved(PRESETS[preset], config.evaluator)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        flag, kind, _ = field.metadata[OPTION]
        if value != getattr(without, field.name) or (field.name == "evaluator" and value != field.default):
            words += [flag, _as_text(value, kind)]
    return [*words, "--out", str(out)]


def _resolved(preset: SearchConfig, evaluator: str) -> SearchConfig:
    """What a preset comes to with this evaluator."""
    benchmark = BenchmarkName.of(evaluator)
    config = dataclasses.replace(preset, evaluator=evaluator)
    return config if benchmark is None else on_benchmark(config, benchmark)


def _as_text(value: Any, kind: Any) -> str:
    """What the type of an option reads as the value."""
    if isinstance(kind, OrNone):
        return "none" if value is None else _as_text(value, kind.inner)
    if isinstance(value, tuple):
        return (":" if isinstance(kind, IntegerPair) else ",").join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value}s" if kind is DURATION else str(value)
