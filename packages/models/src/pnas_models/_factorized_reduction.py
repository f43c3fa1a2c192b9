import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_models._normalization import BatchNorm
from pnas_models._operations import convolution


class FactorizedReduction(nn.Module):
    """Halves a feature map without skipping pixels (TF-Slim, `factorized_reduction`), with the ReLU before it.

    `(N, C, H, W) -> (N, C', ceil(H / 2), ceil(W / 2))`: two 1x1 convolutions of stride 2, the second on the map shifted
    by one pixel, concatenated, then BN. The second path takes the extra filter of an odd C'.
    """

    def __init__(self, in_channels: int, out_channels: int, batch_norm: BatchNorm) -> None:
        super().__init__()
        self.path_1 = convolution(in_channels, out_channels // 2)
        self.path_2 = convolution(in_channels, out_channels - out_channels // 2)
        self.bn: nn.Module = batch_norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        # A 1x1 convolution of stride 2 is one of stride 1 on every second pixel; zeros come in behind the shift.
        shifted = F.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))
        paths = self.path_1(x[:, :, ::2, ::2]), self.path_2(shifted[:, :, ::2, ::2])
        normalized: Tensor = self.bn(torch.cat(paths, dim=1))
        return normalized
