import pytest
import torch
from torch import nn

from pnas_trainer._sameness import Snapshot


@pytest.mark.parametrize(
    "watch",
    [
        lambda module: module.register_forward_hook(lambda *_: None),
        lambda module: module.register_forward_pre_hook(lambda *_: None),
        lambda module: module.register_full_backward_hook(lambda *_: None),
        lambda module: module.register_full_backward_pre_hook(lambda *_: None),
        lambda module: module.weight.register_hook(lambda gradient: gradient),
        lambda module: module.weight.register_post_accumulate_grad_hook(lambda _: None),
        lambda _: nn.modules.module.register_module_forward_hook(lambda *_: None),
    ],
)
def test_hooks_are_seen_wherever_they_are(watch):
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2)))
    assert not Snapshot(model).is_watched
    handle = watch(model[0][0])
    assert Snapshot(model).is_watched
    handle.remove()
    assert not Snapshot(model).is_watched


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model[1], "p", 0.25),
        lambda model: setattr(model[0], "weight", nn.Parameter(torch.zeros(2, 2))),
        lambda model: setattr(model[0].weight, "data", torch.zeros(2, 2)),
        lambda model: model[0].weight.requires_grad_(False),
        lambda model: model[1].eval(),
        lambda model: model.append(nn.ReLU()),
        lambda model: model.__setitem__(1, nn.Dropout(0.5)),
        lambda model: setattr(model[0], "seen", torch.zeros(1)),
        lambda model: model[0].register_forward_hook(lambda *_: None),
    ],
)
def test_whatever_changes_but_numbers_in_tensors_is_seen(change):
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    before = Snapshot(model)
    model[0].weight.data.zero_()
    model.eval().train()
    assert before.still_holds()
    change(model)
    assert not before.still_holds()
