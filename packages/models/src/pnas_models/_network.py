from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, overload

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_models._auxiliary import AuxiliaryHead
from pnas_models._cell import CellModule
from pnas_models._checkpointing import checkpointed
from pnas_models._checks import checked_fraction, checked_positive
from pnas_models._drop_path import DropPath
from pnas_models._errors import ModelError


class CellNetwork(nn.Module):
    """A stack of cells; `cifar_network` and `imagenet_network` build it.

    `stem` and `cells` are its layers in order; each cell reads the two layers before it. In training mode a network
    with an auxiliary head gives `(logits, auxiliary_logits)`; in evaluation mode a network always gives logits alone.

    Attributes:
        config: what builds it again, as plain data that JSON can hold.
        num_features: channels of `forward_features`.
        num_classes: outputs of the classifier; 0 when there is none.
        aux_cell: the index of the cell behind which an auxiliary head stands.
        is_altered: whether `fuse` or `prune_intermediate_layers` made it another network than `config` describes.
        feature_info: for every map that `forward_intermediates` gives, its channels `num_chs`, its stride `reduction`
            and the `module` that makes it, as in timm.
    """

    def __init__(
        self,
        stem: nn.Sequential,
        cells: Sequence[CellModule],
        *,
        config: Mapping[str, Any],
        aux: AuxiliaryHead | None,
        aux_cell: int,
        feature_info: Sequence[Mapping[str, Any]],
    ) -> None:
        super().__init__()
        self.config = dict(config)
        self.stem = stem
        self.cells = nn.ModuleList(cells)
        self.num_features: int = cells[-1].out_channels
        self.drop_rate: float = config["drop_rate"]
        self.feature_info = [dict(info) for info in feature_info]
        self.aux: AuxiliaryHead | None = None  # it comes with a classifier of its own
        self.reset_classifier(config["num_classes"])
        self.aux = aux
        self.aux_cell = aux_cell
        self.is_altered = False
        self._checkpoints = False

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Images `(N, in_channels, H, W)`, float32, to logits `(N, num_classes)`."""
        if self.training and self.aux is not None:
            maps = self._maps(images, (self.aux_cell, len(self.cells) - 1))
            return self.forward_head(torch.relu(maps[-1])), self.aux(maps[0])
        return self.forward_head(self.forward_features(images))

    def forward_features(self, images: Tensor) -> Tensor:
        """Images `(N, in_channels, H, W)` to the last cell's map after its ReLU, `(N, num_features, H', W')`."""
        (features,) = self._maps(images, (len(self.cells) - 1,))
        return torch.relu(features)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """A map `(N, num_features, H', W')` to logits, or with `pre_logits` to its mean `(N, num_features)`."""
        pooled = F.dropout(features.mean(dim=(2, 3)), self.drop_rate, self.training)
        if pre_logits:
            return pooled
        logits: Tensor = self.classifier(pooled)
        return logits

    @overload
    def forward_intermediates(
        self,
        images: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        *,
        intermediates_only: Literal[True],
    ) -> list[Tensor]: ...
    @overload
    def forward_intermediates(
        self,
        images: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: Literal[False] = False,
    ) -> tuple[Tensor, list[Tensor]]: ...
    def forward_intermediates(
        self,
        images: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> list[Tensor] | tuple[Tensor, list[Tensor]]:
        """The last map of every resolution, as detectors and segmenters read them (timm's signature).

        Args:
            images: `(N, in_channels, H, W)`.
            indices: of `feature_info`: the last n if a number, all if None.
            norm: has no effect: there is no last normalization.
            stop_early: whether to leave out the layers behind the last map that was asked for.
            output_fmt: "NCHW" is the only one.
            intermediates_only: whether to give the list of maps alone.

        Returns:
            The last map after its ReLU and the list of maps; those of cells are after their ReLU, too, as the next cell
            reads them.
        """
        if output_fmt != "NCHW":
            raise ModelError(f'maps come as output_fmt="NCHW" only, not {output_fmt!r}')
        taken = self._feature_indices(indices)
        layers = [self._feature_layers()[index] for index in taken]
        last = max(layers) if stop_early else len(self.cells) - 1
        computed = sorted({*layers, last})
        maps = zip(computed, self._maps(images, computed), strict=True)
        activated = {layer: torch.relu(x) if layer >= 0 else x for layer, x in maps}
        intermediates = [activated[layer] for layer in layers]
        return intermediates if intermediates_only else (activated[last], intermediates)

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Remove the layers behind the last map of `indices`, but one cell (timm's signature); gives the indices."""
        taken = self._feature_indices(indices)
        n_cells = max(1, *(self._feature_layers()[index] + 1 for index in taken))
        is_pruned = n_cells < len(self.cells)
        del self.cells[n_cells:]
        self.feature_info = self.feature_info[: max(taken) + 1]
        self.num_features = cast(CellModule, self.cells[-1]).out_channels
        if self.aux_cell >= n_cells:
            self.aux = None
        self.is_altered |= is_pruned
        if prune_head or is_pruned:
            self.reset_classifier(0)
        return taken

    def get_classifier(self) -> nn.Module:
        """The last layer: linear, or the identity when `num_classes` is 0."""
        return self.classifier

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """A fresh classifier for so many classes, and in the auxiliary head, too.

        0 takes the classifier and the auxiliary head away, so that the network gives pooled features. `global_pool` is
        "avg" or None (timm's signature).
        """
        if global_pool not in (None, "avg"):
            raise ModelError(f"global_pool must be avg, not {global_pool!r}: forward_features gives maps")
        if num_classes != 0:
            checked_positive(num_classes=num_classes)
        self.num_classes = num_classes
        self.config["num_classes"] = num_classes
        like = next(self.stem.parameters())
        fresh = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()
        self.classifier: nn.Module = fresh.to(like.device, like.dtype)
        if num_classes == 0:
            self.aux = None
            self.config["auxiliary"] = False
        elif self.aux is not None:
            self.aux.reset_classifier(num_classes)

    def set_training_progress(self, fraction: float) -> None:
        """Tell drop path how much of training is done, from 0 (nothing is dropped) to 1 (`drop_path_rate` is reached).

        Without a call, it is 1.
        """
        checked_fraction(fraction=fraction)
        if self.config["drop_path_rate"] == 0:
            return  # it is called before every step
        for module in self.modules():
            if isinstance(module, DropPath):
                module.progress.fill_(fraction)

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Keep only the cells' outputs for the backward pass, and compute what is inside them twice (timm's name)."""
        self._checkpoints = enable

    def _maps(self, images: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """The outputs of some layers in rising order; -1 is the stem."""
        before_previous = previous = self.stem(images)
        maps = [previous] if -1 in layers else []
        recomputes = self._checkpoints and torch.is_grad_enabled()
        for index in range(max(layers) + 1):
            cell = self.cells[index]
            output = checkpointed(cell, before_previous, previous) if recomputes else cell(before_previous, previous)
            before_previous, previous = previous, output
            if index in layers:
                maps.append(output)
        return maps

    def _feature_layers(self) -> list[int]:
        names = {"stem": -1, **{f"cells.{index}": index for index in range(len(self.cells))}}
        return [names[info["module"]] for info in self.feature_info]

    def _feature_indices(self, indices: int | Sequence[int] | None) -> list[int]:
        n_maps = len(self.feature_info)
        if indices is None:
            indices = n_maps
        wanted = indices if isinstance(indices, Sequence) else range(-indices, 0)
        taken = [index + n_maps * (index < 0) for index in wanted]
        if not taken or not all(0 <= index < n_maps for index in taken):
            raise ModelError(f"indices must be among the {n_maps} maps of feature_info, not {indices!r}")
        return taken
