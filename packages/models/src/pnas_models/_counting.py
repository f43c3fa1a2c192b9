import torch
from torch import nn

from pnas_models._checks import checked_image_size
from pnas_models._network import CellNetwork


def count_parameters(network: nn.Module) -> int:
    """The numbers that training changes, an auxiliary head's among them."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiply_adds(network: nn.Module, image_size: int | tuple[int, int], in_channels: int | None = None) -> int:
    """The multiply-adds of convolutions and linear layers for one image in evaluation mode; nothing is computed.

    What is published as "mult-adds" or "FLOPs" of image classifiers: batch normalization, pools and sums do not count.

    Args:
        network: any module that maps `(N, in_channels, H, W)` to logits.
        image_size: pixels of the image's sides, or `(height, width)`.
        in_channels: of the image; a `CellNetwork` knows it, and other networks are taken to have 3.
    """
    from torch.func import functional_call
    from torch.utils.flop_counter import FlopCounterMode

    height, width = checked_image_size(image_size)
    if in_channels is None:
        in_channels = network.config["in_channels"] if isinstance(network, CellNetwork) else 3
    state = {
        name: torch.empty_like(tensor, device="meta") for name, tensor in network.state_dict(keep_vars=True).items()
    }
    was_training = network.training
    network.eval()
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            functional_call(network, state, (torch.empty(1, in_channels, height, width, device="meta"),))
    finally:
        network.train(was_training)
    return int(counter.get_total_flops()) // 2
