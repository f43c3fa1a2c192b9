import math

from torch import nn

# A normal distribution cut off at two standard deviations keeps 1 / 1.3 of its variance; TF-Slim
# widens it by that much, so that the variance of the weights is 2 / fan_out all the same.
_TRUNCATION = 1.3


def initialize_convolution(convolution: nn.Conv2d) -> None:
    """Variance scaling by fan-out (TF-Slim, `variance_scaling_initializer(mode="FAN_OUT")`).

    A depthwise kernel has a fan-out of its own area: TF-Slim counts the channel multiplier, not the channels.
    """
    height, width = convolution.kernel_size
    fan_out = height * width * convolution.out_channels / convolution.groups
    std = math.sqrt(2.0 * _TRUNCATION / fan_out)
    nn.init.trunc_normal_(convolution.weight, std=std, a=-2 * std, b=2 * std)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
