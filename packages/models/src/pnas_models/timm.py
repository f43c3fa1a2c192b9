"""PNASNet-5 for users of timm: after `import pnas_models.timm`, `timm.create_model("pnasnet5_mobile", …)` builds it.

The names are those of `list_models()`; timm's own `pnasnet5large` stays as it is. With `pretrained=True` the weights
are this package's, from its cache. `features_only=True` and `out_indices` work as with timm's own networks.
"""

from functools import partial
from typing import Any

from pnas_models._errors import ModelError
from pnas_models._network import CellNetwork
from pnas_models._weights import PublishedWeights
from pnas_models._zoo import create_model, published_weights

try:
    from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
except ImportError as error:
    raise ImportError('pnas_models.timm needs timm: pip install "pnas-models[timm]"') from error

__all__: list[str] = []  # register_model adds the networks


def _described(published: PublishedWeights) -> dict[str, Any]:
    weights = published.value
    return {
        "url": weights.urls[0],
        "input_size": (3, weights.image_size, weights.image_size),
        "num_classes": 1000,
        "crop_pct": weights.crop,
        "crop_mode": "squash" if weights.squash else "center",
        "interpolation": weights.interpolation,
        "mean": weights.mean,
        "std": weights.std,
        "first_conv": "stem.0",
        "classifier": "classifier",
        "license": weights.license.lower(),
        "origin_url": weights.url,
        "paper_ids": "arXiv:1712.00559",
    }


default_cfgs = generate_default_cfgs(
    {
        **{
            f"{name}.{published.name.lower()}_in1k": _described(published)
            for name in ("pnasnet5_large", "pnasnet5_mobile")
            for published in published_weights(name)
        },
        "pnasnet5_cifar": {
            "input_size": (3, 32, 32),
            "num_classes": 10,
            "crop_pct": 1.0,
            "interpolation": "bilinear",
            "mean": (0.5, 0.5, 0.5),
            "std": (0.5, 0.5, 0.5),
            "first_conv": "stem.0",
            "classifier": "classifier",
        },
    }
)


@register_model
def pnasnet5_large(pretrained: bool = False, **options: Any) -> CellNetwork:
    """PNASNet-5 Large; see `pnas_models.pnasnet5_large`."""
    return _built("pnasnet5_large", pretrained, options)


@register_model
def pnasnet5_mobile(pretrained: bool = False, **options: Any) -> CellNetwork:
    """PNASNet-5 Mobile; see `pnas_models.pnasnet5_mobile`."""
    return _built("pnasnet5_mobile", pretrained, options)


@register_model
def pnasnet5_cifar(pretrained: bool = False, **options: Any) -> CellNetwork:
    """PNASNet-5 for CIFAR; see `pnas_models.pnasnet5_cifar`."""
    return _built("pnasnet5_cifar", pretrained, options)


def _built(name: str, pretrained: bool, options: dict[str, Any]) -> CellNetwork:
    """What timm makes of one of our networks, which fetches its weights itself unless it is told of others."""
    tag = options.get("pretrained_cfg")
    is_theirs = any(map(_names_a_file, (tag, options.get("pretrained_cfg_overlay"))))
    weights = None
    if pretrained and not is_theirs:
        weights = tag.partition("_")[0].upper() if isinstance(tag, str) and tag else "DEFAULT"
    n_maps = 3 if name == "pnasnet5_cifar" else 5
    features = {"feature_cls": "getter", "out_indices": tuple(range(n_maps)), **options.pop("feature_cfg", {})}
    built: CellNetwork = build_model_with_cfg(
        partial(_network, name, weights, bool(options.get("features_only"))),
        name,
        pretrained and is_theirs,
        feature_cfg=features,
        **options,
    )
    return built


def _names_a_file(config: Any) -> bool:
    """Whether a config of timm's says where weights are, other than ours."""
    if config is None or isinstance(config, str):
        return False
    values = config if isinstance(config, dict) else vars(config)
    ours = {entry.url for known in default_cfgs.values() for entry in known.cfgs.values()}
    return any(values.get(key) for key in ("file", "hf_hub_id", "state_dict")) or values.get("url") not in (
        None,
        "",
        *ours,
    )


def _network(
    name: str,
    weights: str | None,
    features_only: bool,
    *,
    num_classes: int,
    in_chans: int = 3,
    global_pool: str = "avg",
    **options: Any,
) -> CellNetwork:
    if global_pool != "avg" and not features_only:
        raise ModelError(f"global_pool must be avg, not {global_pool!r}: forward_features and features_only give maps")
    return create_model(name, weights, num_classes, in_chans, **options)
