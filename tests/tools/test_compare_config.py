from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pnas_tools._compare_config import resolve_configs
from pnas_tools._config import PRESETS, SearchConfig
from pnas_tools._options import config_options
from pnas_tools._strategy_names import STRATEGIES


def invoke(*arguments: str, strategies: tuple[str, ...]) -> tuple[Result, dict[str, SearchConfig]]:
    found: list[SearchConfig] = []

    @click.command()
    @config_options
    @click.pass_context
    def command(context: click.Context, /, **options: Any) -> None:
        found.extend(resolve_configs(context, "quick", options, strategies))

    command.params = [option for option in command.params if option.name != "strategy"]
    done = CliRunner().invoke(command, arguments)
    return done, {config.strategy: config for config in found}


def configs(*arguments: str, strategies: tuple[str, ...] = STRATEGIES) -> dict[str, SearchConfig]:
    done, found = invoke(*arguments, strategies=strategies)
    assert done.exit_code == 0, done.output
    return found


def test_every_strategy_gets_what_is_given_for_all() -> None:
    found = configs("--beam", "7", "--models", "50", "--seed", "3")
    assert tuple(found) == STRATEGIES
    assert {(one.beam_size, one.n_models, one.seed) for one in found.values()} == {(7, 50, 3)}


def test_what_means_something_to_some_strategies_is_given_to_these_alone() -> None:
    found = configs("--population", "9", "--tournament", "3", "--acquisition", "ucb", "--round-size", "5")
    default = PRESETS["quick"]
    assert [name for name, one in found.items() if one.population_size == 9] == ["evolution"]
    assert [name for name, one in found.items() if one.acquisition == "ucb"] == ["progressive"]
    assert found["progressive"].round_size == default.round_size
    assert {one.round_size for name, one in found.items() if name != "progressive"} == {5}


def test_the_controller_alone_trains_its_best_again_as_in_the_paper() -> None:
    found = configs("--rerank", "4", "--rerank-fidelity", "3")
    assert [name for name, one in found.items() if one.n_reranked] == ["reinforce"]


def test_on_a_benchmark_every_strategy_has_its_networks() -> None:
    found = configs("--evaluator", "benchmark:micro-digits", strategies=("random", "progressive"))
    assert [(name, one.n_repeats) for name, one in found.items()] == [("random", 2), ("progressive", 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--acquisition", "ei"],
            "--acquisition is for progressive, and --strategies names random, evolution: leave it out",
        ),
        (["--rerank", "4"], "--rerank is for reinforce, and --strategies names random, evolution: leave it out"),
        (["--evaluator", "benchmark:micro-digits", "--blocks", "9"], "--blocks 9 is more than the 5 blocks"),
    ],
)
def test_what_no_strategy_takes_is_refused(arguments: list[str], message: str) -> None:
    done, _ = invoke(*arguments, strategies=("random", "evolution"))
    assert done.exit_code == 2
    assert message in done.output
