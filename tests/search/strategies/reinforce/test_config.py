import pytest

from pnas_search import ReinforceConfig, SearchError


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("hidden_size", 0, "hidden_size must be more than 0, not 0"),
        ("learning_rate", -1e-3, "learning_rate must be more than 0, not -0.001"),
        ("n_epochs", 0, "n_epochs must be more than 0, not 0"),
        ("entropy_weight", -1e-5, "entropy_weight must be 0 or more, not -1e-05"),
        ("baseline_decay", -0.5, "baseline_decay must be 0 or more, not -0.5"),
        ("baseline_decay", 1, "baseline_decay must be less than 1, not 1"),
    ],
)
def test_a_value_that_cannot_be_is_refused(name: str, value: float, sentence: str) -> None:
    with pytest.raises(SearchError, match=f"^{sentence}$"):
        ReinforceConfig(**{name: value})


def test_a_baseline_may_be_the_last_reward_and_entropy_may_count_for_nothing() -> None:
    config = ReinforceConfig(baseline_decay=0, entropy_weight=0)
    assert (config.baseline_decay, config.entropy_weight) == (0, 0)
