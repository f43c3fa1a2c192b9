import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from pnas_trainer._cuda._chains import Chain, chains


def shown(sequence):
    return [len(part.modules) if isinstance(part, Chain) else type(part).__name__ for part in chains(sequence)]


def test_layers_that_follow_each_other_are_one_chain(separable_layer):
    layers = [separable_layer(8, 8, 3), separable_layer(8, 4, 5, inplace=True), separable_layer(4, 4, 3)]
    sequence = nn.Sequential(nn.Conv2d(3, 8, 3), *layers[0], *layers[1], nn.Dropout(), nn.ReLU(), *layers[2], nn.ReLU())
    assert shown(sequence) == ["Conv2d", 8, "Dropout", "ReLU", 4, "ReLU"]


def test_a_sequence_may_have_none_or_nothing():
    assert shown(nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))) == ["ReLU", "Conv2d", "BatchNorm2d"]
    assert shown(nn.Sequential()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.__setitem__(0, nn.ReLU6()),
        lambda s: s.__setitem__(0, nn.ReLU(inplace=True)),
        lambda s: s.__setitem__(1, nn.Conv2d(8, 8, 3, padding=1, groups=8)),
        lambda s: s.__setitem__(1, nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False)),
        lambda s: s.__setitem__(1, nn.Conv2d(8, 16, 3, padding=1, groups=8, bias=False)),
        lambda s: s.__setitem__(2, nn.Conv2d(8, 8, 1)),
        lambda s: s.__setitem__(2, nn.Conv2d(8, 8, 3, padding=1, bias=False)),
        lambda s: s.__setitem__(2, nn.Conv2d(8, 8, 1, stride=2, bias=False)),
        lambda s: s.__setitem__(2, nn.Conv2d(8, 8, 1, padding=1, bias=False)),
        lambda s: s.__setitem__(2, nn.Conv2d(8, 160, 1, bias=False)),
        lambda s: s.__setitem__(3, nn.BatchNorm2d(8, affine=False)),
        lambda s: s.__setitem__(3, nn.BatchNorm2d(8, track_running_stats=False)),
        lambda s: s.__setitem__(3, nn.BatchNorm2d(8, momentum=None)),
        lambda s: s.__setitem__(3, nn.SyncBatchNorm(8)),
        lambda s: s[3].eval(),
        lambda s: s.double(),
        lambda s: s[2].register_forward_hook(lambda *_: None),
        lambda s: s[1].weight.register_hook(lambda gradient: gradient),
    ],
)
def test_anything_else_is_left_to_pytorch(separable_layer, change):
    sequence = nn.Sequential(*separable_layer(8, 8, 3))
    assert shown(sequence) == [4]
    change(sequence)
    assert len(shown(sequence)) == 4


@pytest.mark.parametrize("index", [1, 2])
def test_a_convolution_that_computes_its_weights_is_left_to_pytorch(separable_layer, index):
    sequence = nn.Sequential(*separable_layer(8, 8, 3))
    parametrizations.weight_norm(sequence[index])
    for part in chains(sequence):
        assert not isinstance(part, Chain) or part.layers(torch.zeros(1, 8, 6, 6)) is None


def test_layers_know_their_groups_and_sizes(separable_layer):
    modules = separable_layer(6, 7, (3, 5), 4, stride=2) + separable_layer(7, 7, 3, 4)
    first, second = Chain(modules).layers(torch.zeros(2, 24, 9, 9))
    assert (first.groups, first.channels, first.out_channels) == (4, 6, 7)
    assert first.kernel_size == {"N_ROWS": 3, "N_COLUMNS": 5}
    assert first.window == (-1, -2, 2, 2, 1, 1)
    assert (second.rows.n_outputs, second.columns.n_outputs) == (5, 5)
    like = torch.zeros(2, 1, 1, 1, dtype=torch.float16)
    for maps, channels in ((first.empty_input_map(like), 24), (first.empty_output_map(like), 28)):
        assert maps.shape == (2, channels, 5, 5)
        assert maps.dtype == torch.float16
        assert maps.is_contiguous(memory_format=torch.channels_last)


def test_a_chain_that_sees_no_window_has_no_layers(separable_layer):
    modules = separable_layer(4, 4, 3)
    modules[1] = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False, padding_mode="circular")
    (chain,) = chains(nn.Sequential(*modules))
    assert chain.layers(torch.zeros(1, 4, 5, 5)) is None
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(chain(x), nn.Sequential(*modules)(x))
