"""The command line that is told for going on with a search asks for the same search again."""

import dataclasses
import shlex
from pathlib import Path

import pytest

from pnas_search import Ledger
from pnas_tools._config import PRESETS, SearchConfig
from pnas_tools._options import resolve_config
from pnas_tools._run_folder import RunFolder
from pnas_tools._search_command import search_command
from pnas_tools._search_line import line_of_run, search_line


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


# For every setting a value that quick does not have.
OTHERS: dict[str, object] = {
    "dataset": "a folder",
    "n_blocks": 2,
    "beam_size": 5,
    "n_filters": 3,
    "n_repeats": 3,
    "n_epochs": 5,
    "batch_size": 3,
    "learning_rate": 1e-5,
    "seed": 7,
    "evaluator": "benchmark:micro-digits",
    "device": "cuda:1",
    "operations": ("identity", "max_pool_3x3"),
    "validation_fraction": 0.25,
    "split_seed": 3,
    "train_images": 9,
    "validation_images": 9,
    "shrink_to": 4,
    "momentum": 0.5,
    "nesterov": True,
    "weight_decay": 0.0,
    "max_gradient_norm": None,
    "whitening": "image",
    "upsample_to": 40,
    "crop_to": 32,
    "flip": True,
    "warm_start": True,
    "early_stopping": 0.95,
    "precision": "bfloat16",
    "arithmetic": "portable",
    "threads_per_child": 2,
    "strategy": "mcts",
    "n_models": 99,
    "round_size": 4,
    "population_size": 8,
    "tournament_size": 3,
    "policy_gradient": "reinforce",
    "n_reranked": 2,
    "rerank_fidelity": 3,
    "acquisition": "ei",
    "exploration": 0.25,
    "beam_range": (4, 32),
    "trade_off": ("params", "latency"),
    "params_below": 1.5e6,
    "multiply_adds_below": 0.1,
    "latency_below": 3.5e-5,
    "prior_runs": ("/a run", "/b"),
    "surrogate": "recommended",
    "n_members": 3,
    "surrogate_epochs": 5,
    "surrogate_batch_size": 8,
    "surrogate_first_learning_rate": 0.5,
    "surrogate_learning_rate": 0.5,
}


def test_every_setting_is_tried() -> None:
    assert OTHERS.keys() == {field.name for field in dataclasses.fields(SearchConfig)}


@pytest.mark.parametrize("field", dataclasses.fields(SearchConfig), ids=lambda field: field.name)
def test_every_setting_has_a_text_that_is_read_as_it(field: dataclasses.Field[object]) -> None:
    flag, kind, _ = field.metadata["option"]
    value = OTHERS[field.name]
    words = shlex.split(search_line(dataclasses.replace(PRESETS["quick"], **{field.name: value}), Path("a")))  # type: ignore[arg-type]
    read = kind.convert(words[words.index(flag) + 1], None, None)
    assert read == value or (field.name == "evaluator" and read.startswith(f"{value}@"))


@pytest.mark.parametrize("change", [{"evaluator": "benchmark:gone.npz"}, {"of_a_later_version": 1}])
def test_there_is_no_line_for_what_is_not_here(change: dict[str, object], tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with Ledger.create(run.ledger, config=PRESETS["quick"].as_json() | change, provenance={}) as ledger:
        assert line_of_run(run, ledger) is None
