"""Networks built from cells: the CIFAR network of Progressive Neural Architecture Search (Liu et al., ECCV 2018)."""

from pnas_models._cifar import CifarNetwork, cifar_network
from pnas_models._errors import ModelError
from pnas_models._normalization import BatchNorm
from pnas_models._operations import PNAS_OPERATIONS, OperationBuilder

__all__ = ["PNAS_OPERATIONS", "BatchNorm", "CifarNetwork", "ModelError", "OperationBuilder", "cifar_network"]
__version__ = "0.1.0"
