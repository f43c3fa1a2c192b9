import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from pnas_search import BENCHMARKS, SearchError
from pnas_searchspace import Cell, SearchSpaceError
from pnas_tools._evaluator_name import TRAIN, BenchmarkName


class Names(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """Different names of `what`, separated by commas, as a tuple; only those that are known, or any."""

    name = "NAME,…"

    def __init__(self, what: str, known: Sequence[str] | None = None) -> None:
        self._what = what
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(value.split(",")) if isinstance(value, str) else tuple(value)
        for name in names:
            if self._known is not None and name not in self._known:
                close = difflib.get_close_matches(name, self._known, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                self.fail(f"unknown {self._what} {name!r}, expected some of {', '.join(self._known)}{hint}", param, ctx)
        if len(set(names)) < len(names):
            self.fail(f"every {self._what} may be named once, and {','.join(names)} repeats one", param, ctx)
        return names


class OneOf(click.Choice):  # type: ignore[type-arg]
    """One of some names; a misspelt one is guessed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        close = difflib.get_close_matches(str(value), self.choices, n=1)
        if close and value not in self.choices:
            self.fail(f"{value!r} is none of {', '.join(self.choices)}; did you mean {close[0]!r}?", param, ctx)
        return super().convert(value, param, ctx)


class Kinds(click.ParamType):  # type: ignore[type-arg]
    """What the positions of a group mean, separated by commas, as a tuple."""

    name = "KIND,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        kinds = tuple(value.split(","))
        if not all(kinds):
            self.fail(f"expected names such as input,operation and not {value!r}", param, ctx)
        return kinds


class Vocabulary(click.ParamType):  # type: ignore[type-arg]
    """How many tokens kinds have, such as `input=6,operation=8`, as a dictionary."""

    name = "KIND=N,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        pairs = [text.partition("=") for text in value.split(",")]
        for kind, _, number in pairs:
            if not (kind and re.fullmatch("[1-9][0-9]{0,4}", number)):
                self.fail(f"expected sizes from 1 to 99999 such as input=6,operation=8 and not {value!r}", param, ctx)
        sizes = {kind: int(number) for kind, _, number in pairs}
        if len(sizes) < len(pairs):
            self.fail(f"expected one size for each kind, such as input=6,operation=8, and not {value!r}", param, ctx)
        return sizes


class CellText(click.ParamType):  # type: ignore[type-arg]
    """A cell, from its short form or from JSON."""

    name = "cell"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Cell:
        if isinstance(value, Cell):
            return value
        try:
            return Cell.from_json(value) if value.lstrip().startswith("[") else Cell.from_text(value)
        except SearchSpaceError as error:
            self.fail(str(error), param, ctx)


class OrNone(click.ParamType):  # type: ignore[type-arg]
    """A value of another type, or the word `none`."""

    def __init__(self, inner: "click.ParamType[Any]") -> None:
        self.inner = inner
        self.name = f"{inner.name}|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "none" else self.inner.convert(value, param, ctx)


class IntegerPair(click.ParamType):  # type: ignore[type-arg]
    """Two integers from 1 on, the smaller first, such as `64:512`, as a tuple."""

    name = "SMALLEST:LARGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        match = re.fullmatch("([1-9][0-9]{0,8}):([1-9][0-9]{0,8})", str(value))
        if match is None or int(match[1]) > int(match[2]):
            self.fail(f"expected two integers, the smaller first, such as 64:512, and not {value!r}", param, ctx)
        return int(match[1]), int(match[2])


class Folders(click.ParamType):  # type: ignore[type-arg]
    """Folders, separated by commas, as a tuple of absolute paths."""

    name = "FOLDER,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return tuple(str(Path(text).absolute()) for text in str(value).split(","))


class EvaluatorName(click.ParamType):  # type: ignore[type-arg]
    """`train`, or a benchmark that can be had, by its name and what it holds."""

    name = "train|benchmark:NAME[:exact]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        benchmark = BenchmarkName.of(str(value))
        if benchmark is None and value != TRAIN:
            names = " or ".join([*BENCHMARKS, "the path of an .npz file"])
            self.fail(f"expected train or benchmark:NAME, with NAME {names}, not {value!r}", param, ctx)
        if benchmark is None:
            return TRAIN
        try:
            return str(replace(benchmark, digest=benchmark.load().digest))
        except SearchError as error:
            self.fail(str(error), param, ctx)


class Device(click.ParamType):  # type: ignore[type-arg]
    """`cpu`, `cuda`, or `cuda:` and a number."""

    name = "cpu|cuda|cuda:N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        kind, _, number = str(value).partition(":")
        if value not in ("cpu", "cuda") and not (kind == "cuda" and number.isdecimal()):
            self.fail(f"expected cpu, cuda or cuda:N, not {value!r}", param, ctx)
        return str(value)


class IntegerRange(click.IntRange):
    """A range of integers."""

    name = "integer"


class FiniteRange(click.FloatRange):
    """A range of numbers without infinity and without what is no number."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"expected a number, not {value!r}", param, ctx)
        return number


class Quantity(click.ParamType):  # type: ignore[type-arg]
    """A number above 0 with one of some units behind it, such as `600k` or `5ms`, as a float.

    Args:
        name: of what it is, for the help.
        units: what each unit multiplies the number with; the empty one is for a bare number.
        examples: in words, for those who give something else.
    """

    def __init__(self, name: str, units: Mapping[str, str], examples: str) -> None:
        self.name = name
        self._units = units
        self._examples = examples

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?([a-z]*)", str(value), re.IGNORECASE)
        number = 0.0
        if match is not None and match[3] in self._units:
            # Decimal, so that 4.1M is 4,100,000, and nothing below it.
            number = float(Decimal(match[1] + (match[2] or "")) * Decimal(self._units[match[3]]))
        if not 0 < number < math.inf:
            self.fail(f"expected a number above 0 such as {self._examples}, not {value!r}", param, ctx)
        return number


AMOUNT = Quantity("amount", {"": "1", "k": "1e3", "M": "1e6", "G": "1e9"}, "1200, 600k, 1.5M, 2e6 or 1G")
DURATION = Quantity(
    "duration", {"us": "1e-6", "ms": "1e-3", "s": "1", "min": "60", "h": "3600"}, "90s, 10min, 5ms or 300us"
)
POSITIVE = IntegerRange(min=1)
POSITIVE_NUMBER = FiniteRange(min=0, min_open=True)
NUMBER_FROM_ZERO = FiniteRange(min=0)
SHARE = FiniteRange(min=0, max=1, min_open=True, max_open=True)
SEED = IntegerRange(0, 2**32 - 1)
