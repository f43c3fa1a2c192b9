from dataclasses import FrozenInstanceError

import pytest

from pnas_models import BatchNorm


def test_decay_is_the_share_of_the_old_average_that_is_kept() -> None:
    module = BatchNorm(eps=1e-3, decay=0.9997)(7)
    assert module.num_features == 7
    assert module.eps == 1e-3
    assert module.momentum == pytest.approx(0.0003)


def test_settings_are_named_and_frozen() -> None:
    settings = BatchNorm(eps=1e-3, decay=0.9)
    with pytest.raises(FrozenInstanceError):
        settings.eps = 1.0  # type: ignore[misc]
