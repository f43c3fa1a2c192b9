import dataclasses
import json

import click
import pytest

from pnas_tools._config import PRESETS, SearchConfig


def test_the_paper_preset_is_the_papers() -> None:
    paper = PRESETS["paper"]
    assert (paper.dataset, paper.validation_fraction) == ("cifar10", 0.1)  # 45,000 and 5,000 of 50,000
    assert (paper.n_blocks, paper.beam_size, paper.n_filters, paper.n_repeats, paper.n_epochs) == (5, 256, 24, 2, 20)
    assert paper.learning_rate == 0.01
    assert (paper.upsample_to, paper.crop_to, paper.flip) == (40, 32, True)
    assert (paper.surrogate_first_learning_rate, paper.surrogate_learning_rate) == (0.01, 0.002)
    assert paper.n_members == 5
    assert len(paper.operations) == 8


def test_the_quick_preset_is_a_whole_search_on_the_bundled_digits() -> None:
    quick = PRESETS["quick"]
    assert (quick.dataset, quick.device) == ("digits", "cpu")
    assert (quick.n_blocks, quick.beam_size, quick.n_filters, quick.n_repeats) == (3, 16, 8, 1)


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_a_config_survives_json(config: SearchConfig) -> None:
    as_json = config.as_json()
    assert json.loads(json.dumps(as_json)) == as_json
    assert as_json.keys() == {field.name for field in dataclasses.fields(SearchConfig)}


def test_settings_that_have_their_default_are_left_out_where_only_others_count() -> None:
    config = dataclasses.replace(PRESETS["quick"], strategy="random", trade_off=None, seed=0)
    without = {field.name for field in dataclasses.fields(SearchConfig)} - config.not_default().keys()
    assert "strategy" in config.not_default()
    assert {"seed", "operations", "trade_off", "n_models"} <= without
    assert all(config.as_json()[name] == SearchConfig.defaults()[name] for name in without)
    assert {"dataset", "n_blocks", "n_epochs"} <= config.not_default().keys()


def test_every_setting_has_an_option_that_takes_every_presets_value() -> None:
    for field in dataclasses.fields(SearchConfig):
        flag, kind, _ = field.metadata["option"]
        assert flag.startswith("--")
        for config in PRESETS.values():
            value = getattr(config, field.name)
            text = "none" if value is None else ",".join(value) if isinstance(value, tuple) else str(value)
            assert kind.convert(text, None, None) == value
        assert isinstance(kind, click.ParamType)
