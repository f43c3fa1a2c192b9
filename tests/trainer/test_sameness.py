import pytest
from torch import nn

from pnas_trainer._sameness import is_watched, plain_attributes


@pytest.mark.parametrize(
    "watch",
    [
        lambda module: module.register_forward_hook(lambda *_: None),
        lambda module: module.register_forward_pre_hook(lambda *_: None),
        lambda module: module.register_full_backward_hook(lambda *_: None),
        lambda module: module.register_full_backward_pre_hook(lambda *_: None),
        lambda _: nn.modules.module.register_module_forward_hook(lambda *_: None),
    ],
)
def test_hooks_are_seen_wherever_they_are(watch):
    model = nn.Sequential(nn.Sequential(nn.ReLU()))
    assert not is_watched(model)
    handle = watch(model[0][0])
    assert is_watched(model)
    handle.remove()
    assert not is_watched(model)


def test_numbers_and_names_that_modules_hold_are_seen():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    before = plain_attributes(model)
    model[0].weight.data.zero_()
    assert plain_attributes(model) == before
    model[1].p = 0.25
    assert plain_attributes(model) != before
