from typing import Any

import click
from click.testing import CliRunner

from pnas_tools._config import PRESETS
from pnas_tools._options import config_options, resolve_config


def resolved(*arguments: str) -> Any:
    found = []

    @click.command()
    @click.option("--preset", default="paper")
    @config_options
    @click.pass_context
    def command(context: click.Context, /, preset: str, **options: Any) -> None:
        found.append(resolve_config(context, preset, options))

    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return found[0]


def test_without_options_the_config_is_the_preset() -> None:
    assert resolved() == PRESETS["paper"]
    assert resolved("--preset", "quick") == PRESETS["quick"]


def test_an_option_takes_the_place_of_the_presets_value_none_included() -> None:
    config = resolved("--beam", "7", "--crop-to", "none", "--flip", "false", "--operations", "identity,max_pool_3x3")
    assert config.beam_size == 7
    assert config.crop_to is None
    assert config.flip is False
    assert config.operations == ("identity", "max_pool_3x3")
    assert config.n_blocks == PRESETS["paper"].n_blocks
