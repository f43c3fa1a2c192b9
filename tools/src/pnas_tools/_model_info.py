"""What there is to know about networks and their published weights, as plain data."""

import dataclasses
from typing import Any

from pnas_models import (
    Weights,
    cached_path,
    count_multiply_adds,
    count_parameters,
    list_models,
    published_image_size,
)
from pnas_tools._network_choice import NetworkChoice
from pnas_tools._published import weights_by_name

# Of images of 32 pixels. To count multiply-adds PyTorch imports modules for seconds, and nobody publishes these.
_CIFAR_COUNTS = {"n_parameters": 3_189_082, "n_multiply_adds": 574_891_392}


def list_info() -> list[dict[str, Any]]:
    """Every network of the zoo with its weights' names and accuracies."""
    return [
        {
            "name": model,
            "image_size": published_image_size(model),
            **_known_counts(model),
            "weights": [
                {name: info[name] for name in ("name", "is_default", "source", "top_1", "top_5")}
                for info in _weights_info(model)
            ],
        }
        for model in list_models()
    ]


def network_info(choice: NetworkChoice, image_size: int | None) -> dict[str, Any]:
    """Everything about one network for images of a size, by default its own."""
    image_size = image_size or choice.image_size
    config = choice.empty.config
    n_parameters = count_parameters(choice.empty)
    known = _known_counts(choice.model) if choice.model and image_size == choice.image_size else {}
    if known.get("n_parameters") == n_parameters:
        n_multiply_adds = known["n_multiply_adds"]
    else:
        n_multiply_adds = count_multiply_adds(choice.empty, image_size, config["in_channels"])
    return {
        "name": choice.name,
        "num_classes": choice.empty.num_classes,
        "image_size": image_size,
        "n_parameters": n_parameters,
        "n_multiply_adds": n_multiply_adds,
        "feature_info": choice.empty.feature_info,
        "config": config,
        "weights": _weights_info(choice.model) if choice.model and choice.file is None else [],
    }


def _known_counts(model: str) -> dict[str, int]:
    known = weights_by_name(model)
    if not known:
        return _CIFAR_COUNTS
    return {name: getattr(known["DEFAULT"], name) for name in _CIFAR_COUNTS}


def _weights_info(model: str) -> list[dict[str, Any]]:
    known = weights_by_name(model)
    return [
        {"name": name, "is_default": weights is known["DEFAULT"], **_file_info(weights)}
        for name, weights in known.items()
        if name != "DEFAULT"
    ]


def _file_info(weights: Weights) -> dict[str, Any]:
    path = cached_path(weights)
    return {**dataclasses.asdict(weights), "file": str(path), "is_here": path.is_file()}
