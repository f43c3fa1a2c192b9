"""Learns to predict a score from a token sequence, with uncertainty, as a scikit-learn regressor."""

from pnas_surrogate._base import MemberPredictor, Predictor
from pnas_surrogate._ensemble import Ensemble
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._gaussian_process._predictor import GaussianProcess
from pnas_surrogate._neural._lstm import LSTMPredictor
from pnas_surrogate._neural._mlp import MLPPredictor
from pnas_surrogate._recommended import recommended
from pnas_surrogate._sequences import PADDING
from pnas_surrogate._spec import SequenceSpec

__all__ = [
    "PADDING",
    "Ensemble",
    "GaussianProcess",
    "LSTMPredictor",
    "MLPPredictor",
    "MemberPredictor",
    "Predictor",
    "SequenceSpec",
    "SurrogateError",
    "recommended",
]
__version__ = "0.1.0"
