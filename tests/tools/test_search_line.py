"""The command line that is told for going on with a search asks for the same search again."""

import dataclasses
import shlex
from pathlib import Path

import click
import pytest

from pnas_search import Ledger
from pnas_tools._config import PRESETS, SearchConfig
from pnas_tools._options import resolve_config
from pnas_tools._run_folder import RunFolder
from pnas_tools._search_command import search_command
from pnas_tools._search_line import begun_with, search_line


def asked_for(words: list[str]) -> tuple[SearchConfig, Path]:
    """What `pnas-tools search` makes of the words."""
    with search_command.make_context("search", words) as context:
        options = {field.name: context.params[field.name] for field in dataclasses.fields(SearchConfig)}
        return resolve_config(context, context.params["preset"], options), context.params["out"]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--preset paper --device cuda --seed 7",
        "--blocks 2 --beam 8 --operations identity,max_pool_3x3 --nesterov true --max-gradient-norm none",
        "--preset paper --flip false --upsample-to none --crop-to none --whitening image --early-stopping 0.95",
        "--acquisition ei --exploration 0.25 --beam-range 4:32 --trade-off params,latency --params-below 1.5M",
        "--latency-below 35us --multiply-adds-below 0.1 --prior-runs 'a run,another' --learning-rate 1e-05",
        "--strategy evolution --models 99 --population 8 --tournament 3 --round-size 4 --rerank 2 --rerank-fidelity 3",
        "--evaluator benchmark:micro-digits",
        "--evaluator benchmark:micro-cifar10:exact --blocks 2 --operations identity,max_pool_3x3 --surrogate mlp",
    ],
)
def test_the_line_asks_for_the_same(words: str) -> None:
    config, _ = asked_for(shlex.split(words))
    program, command, *options = shlex.split(search_line(config, Path("my runs/small")))
    assert (program, command) == ("pnas-tools", "search")
    assert asked_for(options) == (config, Path("my runs/small"))


def test_the_line_is_as_short_as_it_can_be() -> None:
    assert search_line(PRESETS["quick"], Path("a")) == "pnas-tools search --out a"
    paper = dataclasses.replace(PRESETS["paper"], seed=3)
    assert search_line(paper, Path("a")) == "pnas-tools search --preset paper --seed 3 --out a"
    config, _ = asked_for(["--evaluator", "benchmark:micro-digits"])
    assert search_line(config, Path("a")) == f"pnas-tools search --evaluator {config.evaluator} --out a"


def test_every_setting_has_a_text_that_is_read_as_it() -> None:
    with click.Context(search_command) as context:
        for preset in PRESETS.values():
            for field in dataclasses.fields(preset):
                flag, kind, _ = field.metadata["option"]
                other = dataclasses.replace(PRESETS["quick"], **{field.name: getattr(preset, field.name)})
                words = shlex.split(search_line(other, Path("a")))
                if flag in words:
                    value = words[words.index(flag) + 1]
                    assert kind.convert(value, None, context) == getattr(preset, field.name)


@pytest.mark.parametrize("change", [{"evaluator": "benchmark:gone.npz"}, {"of_a_later_version": 1}])
def test_there_is_no_line_for_what_is_not_here(change: dict[str, object], tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with Ledger.create(run.ledger, config=PRESETS["quick"].as_json() | change, provenance={}) as ledger:
        assert begun_with(run, ledger) is None
