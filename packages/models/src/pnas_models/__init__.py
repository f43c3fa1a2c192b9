"""Networks built from cells, and PNASNet-5 (Progressive Neural Architecture Search, Liu et al., ECCV 2018)."""

from pnas_models._checkpoints._load import SourceName, load_weights
from pnas_models._checkpoints._save import save_weights, timm_state_dict
from pnas_models._cifar import cifar_network
from pnas_models._combine import CombinedNetwork, combine
from pnas_models._config import load_network, network_of
from pnas_models._counting import count_multiply_adds, count_parameters
from pnas_models._errors import ModelError
from pnas_models._export import export_onnx
from pnas_models._fuse import fuse
from pnas_models._genotypes import PNASNET_5
from pnas_models._imagenet import imagenet_network
from pnas_models._inherit import inherit
from pnas_models._network import CellNetwork
from pnas_models._normalization import BatchNorm
from pnas_models._operations import PNAS_OPERATIONS, OperationBuilder
from pnas_models._sizes import cifar_sizes
from pnas_models._weight_file import WeightFile, empty_network, fill_network, open_weights
from pnas_models._weights import PNASNet5LargeWeights, PNASNet5MobileWeights, PublishedWeights, Weights
from pnas_models._zoo import (
    cached_path,
    create_model,
    fetch_weights,
    list_models,
    pnasnet5_cifar,
    pnasnet5_large,
    pnasnet5_mobile,
    published_image_size,
    published_weights,
)

__all__ = [
    "PNASNET_5",
    "PNAS_OPERATIONS",
    "BatchNorm",
    "CellNetwork",
    "CombinedNetwork",
    "ModelError",
    "OperationBuilder",
    "PNASNet5LargeWeights",
    "PNASNet5MobileWeights",
    "PublishedWeights",
    "SourceName",
    "WeightFile",
    "Weights",
    "cached_path",
    "cifar_network",
    "cifar_sizes",
    "combine",
    "count_multiply_adds",
    "count_parameters",
    "create_model",
    "empty_network",
    "export_onnx",
    "fetch_weights",
    "fill_network",
    "fuse",
    "imagenet_network",
    "inherit",
    "list_models",
    "load_network",
    "load_weights",
    "network_of",
    "open_weights",
    "pnasnet5_cifar",
    "pnasnet5_large",
    "pnasnet5_mobile",
    "published_image_size",
    "published_weights",
    "save_weights",
    "timm_state_dict",
]
__version__ = "0.1.0"
