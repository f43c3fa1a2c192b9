import pytest
from torch import nn

from pnas_models import PNAS_OPERATIONS, BatchNorm
from pnas_models._initialization import initialize_convolution


@pytest.mark.parametrize(
    ("convolution", "fan_out"),
    [
        (nn.Conv2d(200, 300, 1), 300),
        (nn.Conv2d(30, 50, 5), 25 * 50),
        (nn.Conv2d(60, 60, (1, 7)), 7 * 60),
        # A depthwise kernel's fan-out is its area, however many channels there are.
        (nn.Conv2d(2000, 2000, 3, groups=2000), 9),
    ],
)
def test_weights_have_mean_0_and_variance_2_over_fan_out_and_no_outliers(convolution: nn.Conv2d, fan_out: int) -> None:
    initialize_convolution(convolution)
    weights = convolution.weight.detach().double() * fan_out**0.5
    # 18,000 weights and more: the standard error of the variance is about 1 %, that of the mean 0.01.
    assert weights.var().item() == pytest.approx(2.0, rel=0.04)
    assert weights.mean().item() == pytest.approx(0.0, abs=0.05)
    assert weights.abs().max().item() <= 2.0 * 2.6**0.5 + 1e-6
    assert convolution.bias is not None
    assert not convolution.bias.any()


@pytest.mark.parametrize("name", ["sep_conv_3x3", "dil_conv_3x3", "conv_1x7_7x1", "identity"])
def test_every_convolution_of_an_operation_is_initialized_so(name: str) -> None:
    module = PNAS_OPERATIONS[name](200, 210, 1, BatchNorm(eps=1e-5, decay=0.9))
    for convolution in module.modules():
        if isinstance(convolution, nn.Conv2d):
            fan_out = convolution.weight[0, 0].numel() * convolution.out_channels / convolution.groups
            assert convolution.weight.var().item() == pytest.approx(2.0 / fan_out, rel=0.15)
