import torch
from torch import Tensor, nn

from pnas_models._errors import ModelError
from pnas_models._initialization import initialize_convolution
from pnas_models._normalization import BatchNorm
from pnas_models._operations import convolution

_POOL_SIZE, _POOL_STRIDE = 5, 3
_N_PROJECTED, _N_HIDDEN = 128, 768


class AuxiliaryHead(nn.Module):
    """A second classifier in the middle of a network, for training only (TF-Slim, `_build_aux_head`).

    `(N, in_channels, *map_size) -> (N, num_classes)`: ReLU, 5x5 average pool of stride 3 without padding, 1x1
    convolution to 128 channels, BN, ReLU, a convolution as large as what is left to 768 channels, BN, ReLU, linear.
    Maps smaller than 5x5 are pooled globally. Its loss has the weight 0.4 in the paper.
    """

    def __init__(self, in_channels: int, map_size: tuple[int, int], num_classes: int, batch_norm: BatchNorm) -> None:
        super().__init__()
        self.map_size = map_size
        pools = min(map_size) >= _POOL_SIZE
        self.pool = nn.AvgPool2d(_POOL_SIZE, _POOL_STRIDE) if pools else nn.AdaptiveAvgPool2d(1)
        height, width = ((size - _POOL_SIZE) // _POOL_STRIDE + 1 if pools else 1 for size in map_size)
        self.proj = convolution(in_channels, _N_PROJECTED)
        self.bn_0 = batch_norm(_N_PROJECTED)
        # As large as the map: a linear layer, in effect, but with a convolution's initial values.
        self.conv = nn.Conv2d(_N_PROJECTED, _N_HIDDEN, (height, width), bias=False)
        initialize_convolution(self.conv)
        self.bn_1 = batch_norm(_N_HIDDEN)
        self.reset_classifier(num_classes)

    def reset_classifier(self, num_classes: int) -> None:
        like = self.conv.weight
        self.classifier = nn.Linear(_N_HIDDEN, num_classes).to(like.device, like.dtype)

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[-2:]) != self.map_size:
            expected, actual = ("x".join(map(str, size)) for size in (self.map_size, x.shape[-2:]))
            raise ModelError(
                f"the auxiliary head was made for maps of {expected} and got {actual}: "
                "build the network with image_size= the size of the images that it is trained on"
            )
        x = torch.relu(self.bn_0(self.proj(self.pool(torch.relu(x)))))
        x = torch.relu(self.bn_1(self.conv(x)))
        logits: Tensor = self.classifier(x.flatten(1))
        return logits
