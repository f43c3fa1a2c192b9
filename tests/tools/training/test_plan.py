import pytest

from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput
from pnas_tools._training._plan import OF_RUN, RECIPE_NAMES, default_recipe, recipe_config
from pnas_trainer import RECIPES


def test_the_recipes_are_the_trainers_and_the_runs() -> None:
    assert set(RECIPE_NAMES) == {*RECIPES, OF_RUN}


def test_a_run_of_the_paper_is_trained_for_as_many_epochs_as_the_papers_network() -> None:
    config = recipe_config(OF_RUN, PRESETS["paper"].as_json(), {"batch_size": 16})
    assert (config.n_epochs, config.batch_size, config.preprocessing.upsample_to) == (600, 16, 40)


@pytest.mark.parametrize(
    ("network", "model", "dataset", "is_of_run", "expected"),
    [
        ("cifar", None, "cifar10", True, "cifar10_final"),
        ("cifar", None, "digits", True, "run"),
        ("cifar", None, "digits", False, "proxy_quick"),
        ("imagenet", "pnasnet5_large", "imagenet", False, "imagenet_large"),
        ("imagenet", None, "imagenet", True, "imagenet_mobile"),
    ],
)
def test_the_recipe_follows_from_what_is_trained(
    network: str, model: str | None, dataset: str, is_of_run: bool, expected: str
) -> None:
    assert default_recipe({"network": network}, model, dataset, is_of_run=is_of_run) == expected


def test_values_that_do_not_go_together_are_bad_input() -> None:
    with pytest.raises(BadInput, match="learning_rate must be greater than 0"):
        recipe_config("proxy_quick", None, {"learning_rate": -1.0})
