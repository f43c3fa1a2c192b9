import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from safetensors.torch import save
from torch import Tensor

from pnas_models._checkpoints._sources import timm_names
from pnas_models._errors import ModelError
from pnas_models._genotypes import PNASNET_5
from pnas_models._network import CellNetwork

TargetName = Literal["pnas", "timm"]
"""Who shall read a file of weights: this package, or timm."""

_LARGE = {
    "network": "imagenet",
    "cell": [list(block) for block in PNASNET_5],
    "concat": None,
    "reduction_cell": None,
    "n_filters": 216,
    "n_repeats": 4,
    "stem_filters": 96,
}


def save_weights(
    model: CellNetwork,
    path: str | PathLike[str],
    target: TargetName = "pnas",
    *,
    notes: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write a network's weights as safetensors, in one step: a file that is there was written to its end.

    Args:
        model: the network.
        path: of the `.safetensors` file; one that is there is replaced.
        target: "pnas" for `load_weights` and `load_network`, or "timm" for its `pnasnet5large`, which has no auxiliary
            head.
        notes: what else the file shall say of itself, such as what images the network expects, by name; nothing here
            reads it.

    Raises:
        ModelError: timm has no such network, the network is fused or pruned, or a note has a name that is taken.
    """
    if taken := {"config", "format"} & notes.keys():
        raise ModelError(f"a note of a file cannot be named {min(taken)!r}, which the file itself has: choose another")
    if target not in ("pnas", "timm"):
        raise ModelError(f"target must be pnas or timm, not {target!r}")
    if model.is_altered:
        raise ModelError("a fused or pruned network is not what its config builds again: save the network it came from")
    state = timm_state_dict(model) if target == "timm" else model.state_dict()
    metadata = {"format": "pt", **notes}
    if target == "pnas":
        metadata["config"] = json.dumps(model.config)
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        # Through Python's own writing, so that the file has the usual permissions.
        part.write_bytes(save({name: tensor.contiguous() for name, tensor in state.items()}, metadata))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def timm_state_dict(model: CellNetwork) -> dict[str, Tensor]:
    """The weights of a PNASNet-5 Large under the names of timm's `pnasnet5large`, for its `load_state_dict`.

    An auxiliary head is left out. timm's network must have as many classes and channels of images.

    Raises:
        ModelError: another network, for which timm has no class. `pnas_models.timm` registers ours there, and those
            load what `save_weights` writes with target="pnas".
    """
    differing = [name for name, value in _LARGE.items() if model.config.get(name) != value]
    if differing or model.is_altered:
        what = f"differs in {', '.join(differing)}" if differing else "is fused or pruned"
        raise ModelError(
            f"timm's own network is PNASNet-5 Large, and this one {what}: save it with target='pnas', and "
            "`import pnas_models.timm` has timm build it"
        )
    state = model.state_dict()
    names = timm_names(model)
    counters = {
        key.replace(".running_mean", ".num_batches_tracked"): name.replace(".running_mean", ".num_batches_tracked")
        for key, name in names.items()
        if key.endswith(".running_mean")
    }
    return {name: state[key] for key, name in {**names, **counters}.items()}
