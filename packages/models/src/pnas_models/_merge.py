"""Modules of one structure as one module, side by side along channels.

What n modules do to their own `(N, C, H, W)`, the merged one does to `(N, n * C, H, W)`. Every parameter and buffer of
it is the concatenation of theirs along the first dimension, under the same name in the state dict.
"""

import copy
from collections.abc import Hashable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_models._auxiliary import AuxiliaryHead
from pnas_models._factorized_reduction import FactorizedReduction
from pnas_models._hooks import has_hooks
from pnas_models._operations import Pool
from pnas_models._same_padding import SameConv2d

_COUNTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("in_channels", "out_channels", "groups"),
    SameConv2d: ("in_channels", "out_channels", "groups"),
    nn.BatchNorm2d: ("num_features",),
}
"""Layers whose channels do not mix beyond their groups, and their settings that grow with the channels."""
_PER_CHANNEL = frozenset({nn.Identity, nn.ReLU, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, Pool})
_CONTAINERS = frozenset({nn.Sequential, AuxiliaryHead, FactorizedReduction})
_MERGEABLE = frozenset({*_COUNTS, *_PER_CHANNEL, *_CONTAINERS, nn.Linear})
_NO_SETTINGS = frozenset(vars(nn.Module()))


def signature(module: nn.Module) -> Hashable | None:
    """Equal for modules that can be merged; None for one that can be merged with no other."""
    # A subclass may compute anything, so the type itself counts.
    if type(module) not in _MERGEABLE or not _keeps_channels_apart(module) or has_hooks(module):
        return None
    children = [(name, signature(child)) for name, child in module.named_children()]
    if any(inner is None for _, inner in children):
        return None
    settings = [
        (name, tuple(value) if isinstance(value, list) else value)
        for name, value in vars(module).items()
        if name not in _NO_SETTINGS
    ]
    tensors = [(name, x.shape, x.dtype, x.device, x.requires_grad) for name, x in _own_tensors(module)]
    return type(module), tuple(settings), tuple(tensors), tuple(children)


def merge(modules: Sequence[nn.Module]) -> nn.Module:
    """One module in place of several of one `signature`; their weights are copied. Any one module is merged alone."""
    merged = copy.deepcopy(modules[0])
    if len(modules) == 1:
        return merged
    if isinstance(merged, nn.Linear):
        merged = MergedLinear(merged.in_features, len(modules))
    elif isinstance(merged, FactorizedReduction):
        merged = MergedFactorizedReduction(len(modules))
    for name, _ in modules[0].named_children():
        setattr(merged, name, merge([module.get_submodule(name) for module in modules]))
    for name, first in _own_tensors(modules[0]):
        joined = _joined([getattr(module, name).detach() for module in modules])
        is_parameter = isinstance(first, nn.Parameter)
        setattr(merged, name, nn.Parameter(joined, first.requires_grad) if is_parameter else joined)
    for name in _COUNTS.get(type(merged), ()):
        setattr(merged, name, len(modules) * getattr(merged, name))
    return merged


def unmerge(merged: nn.Module, modules: Sequence[nn.Module]) -> None:
    """Copy the weights and statistics of a merged module back to the modules that it was merged from."""
    state = merged.state_dict()
    if len(modules) == 1:
        modules[0].load_state_dict(state)
        return
    for index, module in enumerate(modules):
        own = module.state_dict()
        module.load_state_dict({name: state[name].reshape(len(modules), *x.shape)[index] for name, x in own.items()})


class MergedLinear(nn.Module):
    """Linear layers as one batched product: `(N, n * in_features) -> (N, n * out_features)`."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, in_features: int, n_parts: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.n_parts = n_parts
        self.bias = None

    def forward(self, x: Tensor) -> Tensor:
        inputs = x.unflatten(1, (self.n_parts, -1)).transpose(0, 1)
        weights = self.weight.view(self.n_parts, -1, self.in_features).transpose(1, 2)
        if self.bias is None:
            outputs = torch.bmm(inputs, weights)
        else:
            outputs = torch.baddbmm(self.bias.view(self.n_parts, 1, -1), inputs, weights)
        return outputs.transpose(0, 1).flatten(1)


class MergedFactorizedReduction(nn.Module):
    """Factorized reductions as one, each part's two paths next to each other as its batch normalization has them."""

    path_1: nn.Module
    path_2: nn.Module
    bn: nn.Module

    def __init__(self, n_parts: int) -> None:
        super().__init__()
        self.n_parts = n_parts

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        shifted = F.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))
        paths = self.path_1(x[:, :, ::2, ::2]), self.path_2(shifted[:, :, ::2, ::2])
        by_part = [path.unflatten(1, (self.n_parts, -1)) for path in paths]
        normalized: Tensor = self.bn(torch.cat(by_part, dim=2).flatten(1, 2))
        return normalized


def _keeps_channels_apart(module: nn.Module) -> bool:
    if isinstance(module, nn.BatchNorm2d):
        # Without a momentum the statistics depend on the number of batches, and that may differ.
        return module.momentum is not None
    # A linear layer among maps acts on their width.
    return not (isinstance(module, nn.Sequential) and any(isinstance(layer, nn.Linear) for layer in module))


def _own_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters(recurse=False)
    yield from module.named_buffers(recurse=False)


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(tensors)) if tensors[0].ndim > 0 else torch.stack(list(tensors))
